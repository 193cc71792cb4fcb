"""MONAI's networks as the configurations build them: the sizes that the comparison of networks rests on."""

from monai.networks.nets import BasicUNet, UNet


def test_unet_parameters() -> None:
    features = (16, 32, 64, 128, 256, 16)
    net = BasicUNet(2, 1, 1, features, act=("relu", {"inplace": True}), norm="batch", upsample="deconv")
    assert sum(p.numel() for p in net.parameters()) == 1_948_129


def test_fast_unet_parameters() -> None:
    net = UNet(2, 1, 1, (16, 32, 64, 128, 256), (2, 2, 2, 2), num_res_units=2, act="relu", norm="batch")
    assert sum(p.numel() for p in net.parameters()) == 1_627_261

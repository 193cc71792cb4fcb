"""The study's networks that MONAI lacks."""

from custom.networks.enet import ENet
from custom.networks.transforcnn import TransforCNN
from custom.networks.ynet import YNet

__all__ = ["ENet", "TransforCNN", "YNet"]

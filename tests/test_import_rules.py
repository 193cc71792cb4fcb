"""Who may import whom, read from the source itself."""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter
from collections.abc import Callable
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CUSTOM = ROOT / "custom"
SCRIPTS = ROOT / "scripts"

# what a room may import of custom besides itself
ALLOWED: dict[str, set[str]] = {
    "base": set(),
    "command_line": {"base", "running"},
    "running": {"base"},
    "weights": {"base", "data", "guard"},
    "speed": {"base"},
    "networks": set(),
    "losses": set(),
    "stack": {"base"},
    "transforms": {"base", "stack"},
    "inferers": {"base", "speed"},
    "metrics": {"base", "stack"},
    "data": {"base", "stack"},
    "phantom": {"base", "stack"},
    "pieces": {"base"},
    "electrodes": {"base"},
    "cell_page": {"base"},
    "measuring": {"base", "running", "speed", "stack", "pieces", "electrodes", "quantities", "report", "cell_page"},
    "series": {"base", "running", "stack", "quantities", "report", "cell_page", "measuring"},
    "quantities": {"base"},
    "guard": {"base", "stack", "quantities"},
    "report": {"base"},
    "region": {"base", "stack"},
    "rectifying": {"base", "command_line", "running", "stack", "region", "report"},
    "labelling": {"base", "stack", "data", "report"},
    "judging": {"base", "metrics", "report"},
    "consistency": {"base"},
    "handlers": {"base", "running", "weights", "judging", "metrics", "report"},
    "segmenting": {"base", "command_line", "running", "speed", "stack", "quantities", "report", "cell_page", "guard"},
    "several": {"base", "command_line", "running", "speed", "stack", "region", "report"},
    "study": {"base", "command_line", "running", "stack", "data", "phantom", "transforms"}
    | {"metrics", "quantities", "report"},
    "sharing": {"base", "running", "weights", "stack", "metrics"},
}
SHARING_JSON = {
    f"custom/sharing/{name}.py"
    for name in (
        "describing",
        "execution",
        "metadata",
        "packing",
        "program",
        "record",
        "script",
        "signature",
        "staging",
    )
}
PARSING = {
    *(f"custom/command_line/{name}.py" for name in ("config_keys", "config_values", "following", "variants")),
    *(f"custom/sharing/{name}.py" for name in ("fitting", "trust")),
}
STACK_LIBRARIES = {"tifffile", "zarr", "nibabel", "nrrd", "SimpleITK", "itk", "h5py", "imagecodecs"}


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imported(path: Path) -> frozenset[str]:
    """Dotted names of all imports, those inside functions too."""
    names: list[str] = []
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names += [f"{'.' * node.level}{node.module}.{alias.name}" for alias in node.names]
    return frozenset(names)


def libraries(path: Path) -> set[str]:
    return {dotted.split(".")[0] for dotted in imported(path)}


def attributes(path: Path) -> set[str]:
    """`module.name` for every attribute that is taken of a plain name."""
    nodes = (node for node in ast.walk(tree(path)) if isinstance(node, ast.Attribute))
    return {f"{node.value.id}.{node.attr}" for node in nodes if isinstance(node.value, ast.Name)}


def offenders(folder: Path, breaks: Callable[[Path], object]) -> dict[str, object]:
    """The files below a folder that break a rule, and with what."""
    files = sorted(folder.rglob("*.py"))
    assert files
    return {str(path.relative_to(ROOT)): found for path in files if (found := breaks(path))}


def of_other_rooms(path: Path) -> set[str]:
    """What a module of custom imports of rooms that its own may not import."""
    room = path.relative_to(CUSTOM).parts[0]
    allowed = {room} | ALLOWED[room]
    own = {dotted for dotted in imported(path) if dotted.split(".")[0] == "custom"}
    return {dotted for dotted in own if dotted.split(".")[1] not in allowed}


def test_every_module_is_in_a_room_and_every_room_has_a_rule() -> None:
    assert {path.relative_to(CUSTOM).parts[0] for path in CUSTOM.rglob("*.py")} == {*ALLOWED, "__init__.py"}
    assert {path.parent.name for path in CUSTOM.glob("*/__init__.py")} == set(ALLOWED)


def test_no_room_needs_itself_by_way_of_others() -> None:
    assert set(TopologicalSorter(ALLOWED).static_order()) == set(ALLOWED)  # raises where there is a circle


@pytest.mark.parametrize("room", ALLOWED)
def test_rooms_import_what_they_may(room: str) -> None:
    assert offenders(CUSTOM / room, of_other_rooms) == {}


@pytest.mark.parametrize("room", ALLOWED)
def test_a_planted_import_of_another_room_is_seen(room: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the top, inside a function, of a name and of a module: of every other room, either way round."""
    monkeypatch.setattr(sys.modules[__name__], "CUSTOM", tmp_path / "custom")
    for number, other in enumerate(sorted(set(ALLOWED) - {room})):
        planted = tmp_path / "custom" / room / f"planted_{number}.py"
        planted.parent.mkdir(parents=True, exist_ok=True)
        planted.write_text(f"from custom.{other} import a\n\n\ndef late():\n    import custom.{other}.b\n")
        found = set() if other in ALLOWED[room] else {f"custom.{other}.a", f"custom.{other}.b"}
        assert of_other_rooms(planted) == found, other


def test_every_module_says_in_one_line_what_it_is() -> None:
    """In the first line of its docstring, which is no other module's."""

    def first_line(path: Path) -> str:
        return (ast.get_docstring(tree(path)) or "").split("\n")[0]

    lines = {str(path.relative_to(ROOT)): first_line(path) for path in sorted(CUSTOM.rglob("*.py"))}
    assert [name for name, line in lines.items() if not line] == []
    assert [line for line, count in Counter(lines.values()).items() if count > 1] == []


def test_handlers_are_what_ignite_attaches() -> None:
    def no_handler(path: Path) -> bool:
        functions = {node.name for node in ast.walk(tree(path)) if isinstance(node, ast.FunctionDef)}
        return path.name != "__init__.py" and "attach" not in functions

    assert offenders(CUSTOM / "handlers", no_handler) == {}


@pytest.mark.parametrize("package", ["networks", "losses"])
def test_networks_and_losses_need_torch_and_monai_alone(package: str) -> None:
    known = {"torch", "monai", "custom", *sys.stdlib_module_names} - {"os", "io", "pathlib", "shutil", "tempfile"}
    assert offenders(CUSTOM / package, lambda path: libraries(path) - known) == {}


def test_imports_are_absolute() -> None:
    assert offenders(CUSTOM, lambda path: {dotted for dotted in imported(path) if dotted.startswith(".")}) == {}


@pytest.mark.parametrize("folder", ["custom", "scripts"])
def test_the_package_is_named_with_a_dot(folder: str) -> None:
    """Without it, the bundle that is packed under another name would import a package that it has not."""

    def undotted(path: Path) -> set[str]:
        nodes = (node for node in ast.walk(tree(path)) if isinstance(node, ast.ImportFrom))
        return {f"from {node.module}" for node in nodes if node.module == "custom"}

    assert offenders(ROOT / folder, undotted) == {}


def of_the_scripts(path: Path) -> set[str]:
    """What a file imports of the scripts: the command lines, or a package of theirs that it is no part of.

    Python finds them by their own names, since the folder of the script that is run heads its path.
    """
    command_lines = {script.stem for script in SCRIPTS.glob("*.py")} | {"scripts"}
    packages = {init.parent.name for init in SCRIPTS.glob("*/__init__.py")}
    own = packages if path.parent == SCRIPTS else {path.parent.name} if path.parent.parent == SCRIPTS else set()
    return libraries(path) & (command_lines | packages - own)


@pytest.mark.parametrize("folder", ["custom", "scripts"])
def test_nothing_imports_the_scripts(folder: str) -> None:
    assert offenders(ROOT / folder, of_the_scripts) == {}


@pytest.mark.parametrize(
    ("where", "line", "found"),
    [
        ("custom/report/planted.py", "from comparing.task import Task", {"comparing"}),
        ("custom/planted.py", "def late():\n    import benchmarking.measuring", {"benchmarking"}),
        ("custom/planted.py", "import run_study", {"run_study"}),
        ("scripts/planted.py", "from scripts.comparing import task", {"scripts"}),
        ("scripts/planted.py", "from comparing import task", set()),
        ("scripts/comparing/planted.py", "from comparing import task", set()),
        ("scripts/comparing/planted.py", "from benchmarking import measuring", {"benchmarking"}),
        ("scripts/benchmarking/planted.py", "import benchmark", {"benchmark"}),
    ],
)
def test_a_planted_import_of_the_scripts_is_seen(
    where: str, line: str, found: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in [*SCRIPTS.glob("*.py"), *SCRIPTS.glob("*/__init__.py")]:
        twin = tmp_path / path.relative_to(ROOT)
        twin.parent.mkdir(parents=True, exist_ok=True)
        twin.touch()
    monkeypatch.setattr(sys.modules[__name__], "SCRIPTS", tmp_path / "scripts")
    planted = tmp_path / where
    planted.parent.mkdir(parents=True, exist_ok=True)
    planted.write_text(line)
    assert of_the_scripts(planted) == found


def test_no_environment_variables() -> None:
    variables = {"os.environ", "os.environb", "os.getenv", "os.getenvb", "os.putenv"}
    assert offenders(CUSTOM, lambda path: variables & (attributes(path) | imported(path))) == {}


def test_json_is_read_as_data_alone() -> None:
    """splits.json and scans.json, what a run notes for its successor or its last words, or of a network in 8 bits, what the study's commands wrote, and a packed bundle.

    The configs' keys are looked at by the command line, and their networks built where weights are matched with them.
    """
    reading = {"json.load", "json.loads"}
    found = offenders(CUSTOM, lambda path: reading & (attributes(path) | imported(path)))
    notes = {
        "custom/running/lock.py",
        "custom/report/messages.py",
        "custom/running/slab_store.py",
        "custom/segmenting/results.py",
        "custom/speed/quantised.py",
    }
    notes |= {
        "custom/region/reading.py",
        "custom/stack/scanners/sidecars.py",
        "custom/electrodes/given.py",
        "custom/measuring/opening.py",
        "custom/rectifying/back.py",
        "custom/cell_page/page.py",
        "custom/rectifying/unfinished.py",
        "custom/series/figures.py",
        "custom/series/kept.py",
        "custom/series/listing.py",
        "custom/weights/records.py",
        "custom/handlers/checkpoint.py",
        "custom/several/done.py",
        "custom/several/table.py",
    }
    assert set(found) == {"custom/data/json_beside.py", "custom/study/reading.py"} | notes | SHARING_JSON
    parsing = offenders(CUSTOM, lambda path: any(dotted.startswith("monai.bundle") for dotted in imported(path)))
    assert set(parsing) == PARSING


def test_nothing_needs_the_sharing_of_bundles() -> None:
    def needs(path: Path) -> set[str]:
        return {dotted for dotted in imported(path) if dotted.startswith("custom.sharing")}

    assert {name for name in offenders(CUSTOM, needs) if not name.startswith("custom/sharing/")} == set()


def test_the_sharing_of_bundles_imports_no_code_by_a_name_from_outside() -> None:
    """`trust.py` alone looks objects up by name, within the libraries that it trusts; nothing unpickles."""
    loading = {"importlib.import_module", "runpy.run_path", "pickle.load", "pickle.loads", "torch.jit.load"}
    sharing = CUSTOM / "sharing"
    for path in sorted(sharing.glob("*.py")):
        assert not loading & (attributes(path) | imported(path)), path
    assert list(offenders(sharing, lambda path: {"pydoc.locate"} & imported(path))) == ["custom/sharing/trust.py"]


def test_only_the_studys_figures_need_the_drawing_libraries() -> None:
    def draws(path: Path) -> set[str]:
        figures = {dotted for dotted in imported(path) if dotted.startswith("custom.study.figures")}
        return (libraries(path) & {"matplotlib", "mpl_toolkits", "skimage"}) | figures

    found = offenders(CUSTOM, draws)
    # what these need of skimage draws nothing
    needed = {
        "custom/metrics/centreline.py": "skimage.morphology.skeletonize",
        "custom/measuring/skeletons.py": "skimage.morphology.skeletonize",
        "custom/cell_page/meshes.py": "skimage.measure.marching_cubes",
    }
    assert {name for name in found if not name.startswith("custom/study/figures/")} == {
        "custom/study/report.py",
        *needed,
    }
    for name, only in needed.items():
        assert {dotted for dotted in imported(ROOT / name) if dotted.startswith("skimage")} == {only}


def test_the_configs_take_of_the_study_what_needs_torch_alone() -> None:
    named = {
        name
        for path in (ROOT / "bundle/configs").glob("*.json")
        for name in re.findall(r"custom\.study[\w.]*", path.read_text())
    }
    assert named == {"custom.study.cost.measure_cost", "custom.study.cost.count_gflop"}
    assert libraries(CUSTOM / "study/cost.py") <= {"torch", *sys.stdlib_module_names}


def test_only_stack_touches_stacks_on_disk() -> None:
    def touches(path: Path) -> set[str]:
        return libraries(path) & STACK_LIBRARIES

    assert offenders(CUSTOM / "stack", touches)
    # what these need of SimpleITK reads no file
    registering = {"custom/region/registration.py", "custom/series/registering.py"}
    assert {name for name in offenders(CUSTOM, touches) if not name.startswith("custom/stack/")} == registering
    for file in registering:
        assert not {name for name in attributes(ROOT / file) if name.startswith(("sitk.Read", "sitk.Write"))}


def test_the_command_line_is_looked_at_in_one_place() -> None:
    """`summary.json` quotes `sys.orig_argv`; what was asked for comes from the config."""
    assert list(offenders(CUSTOM, lambda path: "sys.argv" in attributes(path))) == ["custom/command_line/edge.py"]

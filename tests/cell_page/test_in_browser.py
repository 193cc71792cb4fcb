"""The page of a cell in a headless browser, with every control used once; by its text where there is none."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from html import unescape
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "measuring"))
from cells import saved_cell

from custom.measuring.opening import open_cell
from custom.measuring.run import Measuring
from custom.running import OutputFolder
from custom.running.taken import release_folders

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = [
    "--headless", "--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist",
    "--window-size=1200,1000", "--virtual-time-budget=20000", "--enable-logging=stderr", "--dump-dom",
    "--host-resolver-rules=MAP * ~NOTFOUND",
]  # fmt: skip
# adds up what is drawn after each use of a control, and leaves it as the page's title
USED = r"""<script>(async () => {
  const wait = (ms) => new Promise((done) => setTimeout(done, ms));
  for (let n = 0; n < 200 && document.body.dataset.ready !== "yes"; n++) await wait(50);
  const said = {};
  const drawn = (name) => {
    const canvas = document.querySelector("#stage canvas"), gl = canvas.getContext("webgl2");
    const pixels = new Uint8Array(canvas.width * canvas.height * 4);
    gl.readPixels(0, 0, canvas.width, canvas.height, gl.RGBA, gl.UNSIGNED_BYTE, pixels);
    let sum = 0;
    for (let i = 0; i < pixels.length; i += 4) sum += pixels[i] * 3 + pixels[i + 1] * 5 + pixels[i + 2];
    said[name] = sum;
  };
  const change = (id, value, kind) => {
    const control = document.getElementById(id);
    control.value = value;
    control.dispatchEvent(new Event(kind));
  };
  for (const button of document.querySelectorAll("button[data-look]")) { button.click(); drawn(button.dataset.look); }
  document.querySelector("button[data-look=corner]").click();
  for (const colour of ["depth", "contact", "piece"]) { change("colour", colour, "change"); drawn(colour); }
  const box = document.getElementById("electrodes");
  box.checked = false;
  box.dispatchEvent(new Event("change"));
  drawn("without electrodes");
  change("threshold", 0, "input");
  await wait(600);
  drawn("another threshold");
  said.threshold = document.getElementById("at").textContent;
  document.querySelector("tr[data-piece='1'] button").click();
  await wait(1500);
  drawn("flown to");
  said.chosen = document.querySelector("tr.chosen").dataset.piece;
  change("slice", 0, "input");
  said.slices = [...document.querySelectorAll("figure[data-slice]")].map((one) => one.hidden);
  said.bar = document.getElementById("bar").textContent;
  document.title = JSON.stringify(said);
})();</script>"""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cell")
    files = saved_cell(folder)
    cell = open_cell(files["mask"], files["probability"], files["stack"], electrodes=[10, 50])
    Measuring(lambda: cell, 8, OutputFolder(folder / "out"), (0.1, 0.5)).run()
    release_folders()
    return folder / "out/report.html"


def test_nothing_comes_from_elsewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert not re.search(r"""(src|href)\s*=\s*["']?(https?:|//)|@import|url\(\s*["']?http|<link""", text)
    assert page.stat().st_size < 8_000_000
    assert "the smallest gap left is 40 um" in text and "of 0.20 counts as lithium" in text


@pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")
def test_every_control_does_something(page: Path, tmp_path: Path) -> None:
    assert BROWSER is not None
    used = tmp_path / "used.html"
    used.write_text(page.read_text(encoding="utf-8").replace("</body>", USED + "</body>"), encoding="utf-8")
    words = [BROWSER, *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", used.as_uri()]
    ended = subprocess.run(words, capture_output=True, text=True, timeout=120)
    title = re.search("<title>(.*?)</title>", ended.stdout)
    assert title and title[1].startswith("{"), ended.stderr[-2000:]
    said = json.loads(unescape(title[1]))
    assert not [line for line in ended.stderr.splitlines() if "CONSOLE" in line], ended.stderr
    sums = [value for name, value in said.items() if isinstance(value, int) and name != "piece"]
    assert len(set(sums)) == len(sums), said  # each shows something else
    assert said["piece"] == said["corner"]  # back to how it began
    assert said["threshold"] == "0.1" and said["chosen"] == "1" and said["bar"].endswith(" um")
    assert said["slices"] == [False, *[True] * (len(said["slices"]) - 1)]
    assert np.min(sums) > 0

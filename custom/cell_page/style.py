"""How the page looks: light, dark, narrow and on paper."""

STYLE = """
:root { color-scheme: light dark; --ink: #1a1a1a; --paper: #fff; --card: #f4f5f7; --line: #cfd3da; --accent: #b8560f; --soft: #5a6270; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8e8e8; --paper: #15171b; --card: #202329; --line: #3a3f49; --accent: #f0a35c; --soft: #a3abb8; } }
body { font: 15px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 0 auto; padding: 1rem; max-width: 84rem; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.1rem; margin: 1.6rem 0 .5rem; } p { max-width: 62rem; margin: .4rem 0; }
.answer { font-size: 1.15rem; border-left: .3rem solid var(--accent); padding: .2rem .8rem; margin: .8rem 0; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(14rem, 1fr)); gap: .6rem; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: .6rem .8rem; }
.card b { display: block; font-size: 1.25rem; font-variant-numeric: tabular-nums; } .card small { color: var(--soft); display: block; }
.view { display: grid; grid-template-columns: minmax(0, 3fr) minmax(19rem, 2fr); gap: .8rem; }
@media (max-width: 56rem) { .view { grid-template-columns: minmax(0, 1fr); } }
#stage { position: relative; background: #10131a; border-radius: 6px; height: 34rem; max-height: 75vh; overflow: hidden; }
#stage canvas { display: block; width: 100%; height: 100%; touch-action: none; } #stage canvas:focus { outline: 2px solid var(--accent); }
#bar { position: absolute; white-space: nowrap; left: 1rem; bottom: .8rem; color: #fff; font-size: .85rem; border-bottom: 3px solid #fff; text-align: center; pointer-events: none; }
.mark { position: absolute; color: #d9dde5; font-size: .8rem; transform: translate(-50%, -50%); pointer-events: none; white-space: nowrap; text-shadow: 0 0 3px #000; }
#legend { position: absolute; right: .8rem; top: .6rem; color: #fff; font-size: .8rem; text-align: right; pointer-events: none; }
#legend i { display: block; height: .6rem; width: 9rem; margin-left: auto; }
.controls { display: flex; flex-wrap: wrap; gap: .4rem 1rem; align-items: center; margin: .5rem 0; }
button, select, input { font: inherit; color: inherit; } button, select { background: var(--card); border: 1px solid var(--line); border-radius: 5px; padding: .25rem .7rem; }
button:focus-visible, select:focus-visible, input:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
.rows { overflow: auto; max-height: 37rem; border: 1px solid var(--line); border-radius: 6px; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; width: 100%; }
th, td { padding: .2rem .5rem; text-align: right; border-bottom: 1px solid var(--line); } th { position: sticky; top: 0; background: var(--card); font-weight: 600; }
td:first-child, th:first-child { text-align: left; } tr.chosen td { background: color-mix(in srgb, var(--accent) 25%, transparent); }
td button { padding: 0 .5rem; }
.flow { display: flex; flex-wrap: wrap; gap: 1rem; } figure { margin: 0; } figcaption { font-size: .9rem; color: var(--soft); margin-bottom: .2rem; }
figure img { max-width: 100%; border: 1px solid var(--line); image-rendering: auto; } .chart { flex: 1 1 24rem; max-width: 27rem; }
.chart svg { width: 100%; } .chart rect { fill: var(--accent); } .chart polyline { fill: none; stroke: var(--accent); stroke-width: 2; }
.chart path { fill: none; stroke: var(--soft); } .chart text { fill: var(--ink); font-size: 12px; }
.scale { height: .6rem; width: 12rem; } .told td { text-align: left; overflow-wrap: anywhere; } .told th { position: static; white-space: nowrap; text-align: left; vertical-align: top; }
#none { display: none; } .flat #none { display: block; } .flat #three { display: none; }
@media print { body { max-width: none; color: #000; background: #fff; } #three, .controls, #slice, tr:nth-child(n+32) { display: none; } .view { display: block; }
  .rows { max-height: none; overflow: visible; } #none { display: block; } h2, figure, .card, tr { break-inside: avoid; } }
"""

"""The report as one page of HTML, which needs nothing else."""

from __future__ import annotations

import os
from html import escape

from hypostyle._profile.advice import Finding, Report
from hypostyle._profile.flame import COLORS, flame
from hypostyle._profile.text import headline, seconds

_STYLE = """
body{font:14px/1.45 system-ui,sans-serif;margin:2em auto;max-width:1240px;padding:0 1em;color:#222}
table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;padding:.4em .6em;
border-bottom:1px solid #ddd}td.n{text-align:right;white-space:nowrap}code,pre{font:12.5px ui-monospace,monospace}
pre{background:#f6f6f4;padding:.6em;overflow:auto}svg text{font:11px ui-monospace,monospace;pointer-events:none}
.bar{display:flex;height:14px;width:160px;background:#eee}.bar i{display:block;height:100%}.yes{color:#13702b}
.key i{display:inline-block;width:12px;height:12px;margin:0 .3em 0 1em}svg g{cursor:pointer}
"""

_ZOOM = """
const svg=document.getElementById("flame");if(svg){const all=[...svg.querySelectorAll("g")];
svg.addEventListener("click",e=>{const g=e.target.closest("g");if(!g)return;
const x=+g.dataset.x,w=+g.dataset.w,k=1200/w;all.forEach(o=>{const ox=+o.dataset.x,ow=+o.dataset.w;
const out=ox+ow<=x+.01||ox>=x+w-.01;o.style.display=out?"none":"";
o.setAttribute("transform",`translate(${-x*k},0) scale(${k},1)`);
o.querySelector("text").setAttribute("transform",`translate(${(Math.max(ox,x)+2)*(1-1/k)},0) scale(${1/k},1)`);});});}
"""


def page(report: Report) -> str:
    """Return the page."""
    key = "".join(f'<i style="background:{color}"></i>{name}' for name, color in COLORS.items())
    rows = "".join(_row(number, finding) for number, finding in enumerate(report.findings, 1))
    notes = "".join(f"<p>{escape(note)}</p>" for note in report.notes)
    name = escape(report.name)
    gain = (
        f"<p><b>The recommended replacements make the script {report.gain:.1f}x as fast.</b></p>"
        if report.recommended
        else "<p>Nothing is recommended.</p>"
    )
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{name}: hypostyle profile</title>'
        f"<style>{_STYLE}</style></head><body><h1>{name}</h1><p>{escape(headline(report))}</p>{gain}{notes}"
        f"<table><thead><tr><th></th><th>line</th><th>time</th><th></th><th>what helps</th></tr></thead>"
        f"<tbody>{rows}</tbody></table><h2>Flame graph</h2>"
        f'<p class="key">{key} (bold: your own files; click on a frame to enlarge it)</p>{flame(report.samples.stacks)}'
        f"<h2>Memory</h2>{memory(report.samples.memory)}<script>{_ZOOM}</script></body></html>\n"
    )


def _row(number: int, finding: Finding) -> str:
    place = f"{os.path.basename(finding.file)}:{finding.line}"
    times = finding.times
    whole = max(times.python + times.native + times.waiting, 1e-12)
    bar = "".join(
        f'<i style="width:{100 * part / whole:.1f}%;background:{COLORS[name]}" title="{name} {part:.2f} s"></i>'
        for name, part in (("python", times.python), ("native", times.native), ("waiting", times.waiting))
    )
    return (
        f'<tr><td class="n">{number}</td><td>{escape(place)}<br><code>{escape(finding.code)}</code></td>'
        f'<td class="n">{seconds(finding.seconds)}</td><td><div class="bar">{bar}</div></td>'
        f"<td>{_advice(finding)}</td></tr>"
    )


def _advice(finding: Finding) -> str:
    proof = finding.proof
    if proof is None or proof.state == "none":
        return escape(finding.help)
    if proof.state == "equal":
        mark = ' class="yes"' if finding.recommended else ""
        code = f"<pre>{escape((proof.definitions + proof.code).strip())}</pre>"
        return (
            f"<span{mark}>{escape(proof.use)}</span><br>{seconds(proof.before)} → {seconds(proof.after)}, "
            f"{proof.before / max(proof.after, 1e-9):,.0f}x; equal on {proof.rows:,} rows "
            f"({escape(proof.exactness)}){code}"
        )
    return escape(f"not replaced: {proof.why}")


def memory(points: list[tuple[float, int]]) -> str:
    """Return memory over time as SVG."""
    if len(points) < 2:
        return "<p>The run was too short.</p>"
    wall = max(at for at, _ in points)
    most = max(size for _, size in points)
    line = " ".join(f"{1180 * at / wall:.1f},{100 - 95 * size / most:.1f}" for at, size in points)
    return (
        f'<svg viewBox="0 0 1200 120" width="100%"><polyline points="{line}" fill="none" stroke="#4f8fc0" '
        f'stroke-width="1.5"/><text x="2" y="116">0 s</text><text x="1130" y="116">{wall:.1f} s</text>'
        f'<text x="2" y="12">{most / 2**20:,.0f} MiB at most</text></svg>'
    )

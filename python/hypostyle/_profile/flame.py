"""A flame graph as SVG: each frame is as wide as its time, split into Python, native code and waiting."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from html import escape

from hypostyle._profile.hot import cost, is_users
from hypostyle_profile.stacks import Frame, Stack, Times

COLORS = {"python": "#f2a33a", "native": "#4f8fc0", "waiting": "#b9bec4"}
WIDTH, HEIGHT = 1200, 17
NARROW = 1.5
"""Frames that are narrower are left out."""


@dataclass
class Node:
    """A frame with everything that it called."""

    name: str
    title: str
    users: bool = False
    times: Times = field(default_factory=Times)
    seconds: float = 0.0
    children: dict[str, Node] = field(default_factory=dict)


def tree(stacks: Iterable[Stack]) -> Node:
    """Return the stacks as one tree, with a branch per thread."""
    root = Node("all threads", "all threads")
    for stack in stacks:
        seconds = cost(stack)
        if seconds <= 0:
            continue
        nodes = [root, _child(root, stack.thread, f"thread {stack.thread}", True)]
        for frame in reversed(stack.frames):
            nodes.append(_child(nodes[-1], _name(frame), _title(frame), is_users(frame.file)))
        for node in nodes:
            node.times.add(stack.times)
            node.seconds += seconds
    return root


def _child(node: Node, name: str, title: str, users: bool) -> Node:
    return node.children.setdefault(title, Node(name, title, users))


def _name(frame: Frame) -> str:
    return f"{frame.function}:{frame.line}"


def _title(frame: Frame) -> str:
    return f"{frame.function} ({frame.file}:{frame.line})"


def flame(stacks: Iterable[Stack]) -> str:
    """Return the graph; a click on a frame makes it as wide as the page."""
    root = tree(stacks)
    if root.seconds <= 0:
        return "<p>No samples.</p>"
    rows = list(_boxes(root, 0.0, 0, WIDTH / root.seconds))
    depth = max(level for level, _ in rows) + 1
    boxes = "".join(box for _, box in rows)
    return (
        f'<svg id="flame" viewBox="0 0 {WIDTH} {depth * HEIGHT}" width="100%" '
        f'xmlns="http://www.w3.org/2000/svg">{boxes}</svg>'
    )


def _boxes(node: Node, left: float, level: int, scale: float) -> Iterator[tuple[int, str]]:
    width = node.seconds * scale
    if width < NARROW:
        return
    yield level, _box(node, left, level, width)
    for child in sorted(node.children.values(), key=lambda child: -child.seconds):
        yield from _boxes(child, left, level + 1, scale)
        left += child.seconds * scale


def _box(node: Node, left: float, level: int, width: float) -> str:
    times, top = node.times, level * HEIGHT
    whole = max(times.python + times.native + times.waiting, 1e-12)
    parts, at = [], left
    for name, seconds in (("python", times.python), ("native", times.native), ("waiting", times.waiting)):
        part = width * seconds / whole
        if part > 0.05:
            parts.append(
                f'<rect x="{at:.2f}" y="{top}" width="{part:.2f}" height="{HEIGHT - 1}" fill="{COLORS[name]}"/>'
            )
            at += part
    letters = int(width / 6.2)
    label = node.name if len(node.name) <= letters else node.name[: max(0, letters - 1)] + "…" if letters > 3 else ""
    weight = ' font-weight="bold"' if node.users else ""
    title = (
        f"{node.title}\n{node.seconds:.3f} s: Python {times.python:.3f}, native {times.native:.3f}, "
        f"waiting {times.waiting:.3f}"
    )
    return (
        f'<g data-x="{left:.2f}" data-w="{width:.2f}" data-l="{level}"><title>{escape(title)}</title>{"".join(parts)}'
        f'<text x="{left + 2:.2f}" y="{top + 12}"{weight}>{escape(label)}</text></g>'
    )

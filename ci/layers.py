#!/usr/bin/env python3
"""Proves the layering of the workspace from `cargo metadata`.

Each crate stands on a floor and may depend only on crates of lower floors: never on a sibling, never upwards, whether
for the program, for its tests or for its build script. A crate without a floor fails too, so that nobody adds one
without deciding where it stands.

    layers.py               checks this workspace
    layers.py --self-test   checks the checker: graphs with each kind of violation must be refused
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

FLOORS = {
    "plumbline-store": 0,
    "plumbline-models": 0,
    "plumbline-ingest": 1,
    "plumbline-retrieval": 1,
    "plumbline-answer": 2,
    "plumbline-server": 3,
    "plumbline-eval": 3,
}


def violations(members: dict[str, list[tuple[str, str]]]) -> list[str]:
    """`members` maps each crate of the workspace to its (dependency, kind) pairs."""
    found = [f"{name} stands on no floor: add it to FLOORS in ci/layers.py" for name in members if name not in FLOORS]
    found += [f"{name} has a floor but is not in the workspace" for name in FLOORS if name not in members]
    for name, dependencies in members.items():
        for dependency, kind in dependencies:
            if name not in FLOORS or dependency not in FLOORS:
                continue  # crates from outside, and those reported above
            here, there = FLOORS[name], FLOORS[dependency]
            if there >= here:
                relation = "its sibling" if there == here else "above it"
                found.append(f"{name} (floor {here}) depends on {dependency} (floor {there}, {relation}; {kind})")
    return found


def workspace() -> dict[str, list[tuple[str, str]]]:
    command = ["cargo", "metadata", "--format-version", "1", "--no-deps", "--locked"]
    root = Path(__file__).resolve().parent.parent
    run = subprocess.run(command, cwd=root, stdout=subprocess.PIPE, check=True)
    metadata = json.loads(run.stdout)
    return {
        package["name"]: [(d["name"], d["kind"] or "normal") for d in package["dependencies"]]
        for package in metadata["packages"]
        if package["id"] in metadata["workspace_members"]
    }


def self_test() -> list[str]:
    """Returns what the checker missed."""
    sound = {name: [] for name in FLOORS}
    sound["plumbline-ingest"] = [("plumbline-store", "normal"), ("serde", "normal")]
    sound["plumbline-eval"] = [("plumbline-answer", "normal"), ("plumbline-models", "dev")]

    def having(name: str, dependency: str, kind: str = "normal") -> dict:
        return {**sound, name: [*sound[name], (dependency, kind)]}

    broken = {
        "an upward dependency": having("plumbline-store", "plumbline-answer"),
        "siblings that meet": having("plumbline-retrieval", "plumbline-ingest"),
        "siblings that meet in tests": having("plumbline-server", "plumbline-eval", "dev"),
        "an upward build dependency": having("plumbline-models", "plumbline-ingest", "build"),
        "a crate without a floor": {**sound, "plumbline-common": []},
        "a crate that is gone": {name: found for name, found in sound.items() if name != "plumbline-store"},
    }
    missed = [f"{what} was not noticed" for what, graph in broken.items() if not violations(graph)]
    return missed + [f"a sound graph was refused: {found}" for found in violations(sound)]


def main() -> int:
    testing = sys.argv[1:] == ["--self-test"]
    if sys.argv[1:] and not testing:
        print(__doc__, file=sys.stderr)
        return 2
    found = self_test() if testing else violations(workspace())
    for line in found:
        print(f"layers: {line}", file=sys.stderr)
    if not found:
        print("layers: " + ("every kind of violation is found" if testing else f"{len(FLOORS)} crates, sound"))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

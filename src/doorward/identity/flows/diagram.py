"""A flow as text that mermaid draws, for clients that show it that way. Our own page draws it without any script."""

from __future__ import annotations

from doorward.identity.flows.models import Flow, FlowStageBinding

END = "done"


def mermaid(flow: Flow) -> str:
    """Start, stages and end from top to bottom; a stage that is not for everybody has a way around it."""
    places = list(flow.stage_bindings.select_related("stage").prefetch_related("bindings").order_by("order", "pk"))
    lines = ["graph TD", f'begin[["{_text(flow.title)}"]]', f"begin --> {_entry(places, 0)}"]
    for number, place in enumerate(places):
        lines.append(f'stage_{number}["{_text(place.stage.name)}"]')
        if who := _who(place):
            lines.append(f'who_{number}{{"{_text(who)}"}}')
            lines.append(f"who_{number} -->|yes| stage_{number}")
            lines.append(f"who_{number} -->|no| {_entry(places, number + 1)}")
        lines.append(f"stage_{number} --> {_entry(places, number + 1)}")
    return "\n".join([*lines, f'{END}[["End of the flow"]]'])


def _entry(places: list[FlowStageBinding], number: int) -> str:
    """Where one comes to first at this place: the question for whom it is, where there is one."""
    if number == len(places):
        return END
    return f"who_{number}" if _who(places[number]) else f"stage_{number}"


def _who(place: FlowStageBinding) -> str:
    return ", ".join(str(binding) for binding in place.bindings.all() if binding.enabled)


def _text(label: str) -> str:
    """Mermaid's own entities: nothing in a name becomes syntax or HTML."""
    return "".join(letter if letter.isalnum() or letter in " -_.,:()/" else f"#{ord(letter)};" for letter in label)

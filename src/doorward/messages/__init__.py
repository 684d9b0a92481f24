"""What the rooms and the processes say to one another, as typed data.

Nothing here does anything. Every type that crosses a process boundary is a frozen ``msgspec.Struct`` (one encoding
for all: MessagePack); what stays inside one process is a plain dataclass.
"""

"""How benchmarks print their figures."""


def report(name: str, value: float, unit: str) -> None:
    """One line `name: value unit`, with four digits that count, or all before the point."""
    print(f"{name}: {value:.4g} {unit}" if abs(value) < 1000 else f"{name}: {value:.0f} {unit}", flush=True)

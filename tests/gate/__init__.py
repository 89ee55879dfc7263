"""The gate under random hands: an oracle of its own, the machine that compares, faults it must see."""

"""Rule families: each module knows one way of finding, and none knows another."""

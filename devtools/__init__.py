"""Tools that tests, the demo and the benchmarks share: a server, clips, random checkpoints."""

"""Makes a package of these tests, for which they share one browser."""

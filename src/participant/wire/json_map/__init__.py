"""Foreign JSON feeds by a mapping that is data: paths to fields, units, clocks, codes. docs/json-feeds.md shows one."""

"""What the makefile runs: generating, checking and packing. Nothing of it is shipped."""

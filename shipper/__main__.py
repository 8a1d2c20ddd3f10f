"""`python -m shipper`: the console script for when its folder is not on the PATH."""

from shipper.program import main

main()

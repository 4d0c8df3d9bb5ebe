"""What stands in the way of a working camera, and the remedy for each. Looks and asks; changes nothing.

A check is a function of a Case. It never raises what it can tell as a finding.
"""

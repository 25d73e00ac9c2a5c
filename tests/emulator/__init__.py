"""An AWS API on 127.0.0.1 for evenkeel's tests and demo.

moto does most of the work; this package starts it as a real HTTP server and adds what the tests need around it:
a log of the calls on the wire, faults on demand, messy accounts, and the operations that moto lacks or gets wrong.
It is never part of evenkeel itself.
"""

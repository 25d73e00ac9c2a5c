"""Events: what CloudTrail records of the calls, what EventBridge makes of it, and the queues and topics behind.

names.py      what CloudTrail calls services and operations, where their events appear, what is a read
identity.py   who called, as a record says it
record.py     a call and its answer as CloudTrail's record
patterns.py   which events a rule matches
trails.py     whether a trail logs a record, and log files in its bucket
history.py    what LookupEvents finds
permission.py what resource policies let services and accounts do
bus.py        rules, targets, transformers, dead letters, other accounts' buses
disorder.py   delay, duplicates, reordering and loss, drawn from a seed
feed.py       the switch, and the way from a call to all of the above
queues.py     SQS as a real queue
topics.py     SNS on to SQS
"""

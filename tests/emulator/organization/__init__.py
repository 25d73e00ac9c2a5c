"""Organizations: who is in which one, what its policies decide, and who may ask about it.

moto keeps the tree of roots, units, accounts and policies; `structure.py` reads it. The other files add what moto
lacks: invitations, all policy types, effective policies, members' refusals, delegated administrators of services, and
what an organization decides in other services. An account that is in no organization never gets here.
"""

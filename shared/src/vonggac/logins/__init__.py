"""Not locking a device's account: failed logins are counted over all who log in there, and rest after two in a row.

`attempt` is what callers use, `guard` counts in the bucket `login_failures`, `counting` decides. Prober and forwarder
share it, since to a camera they are one caller.
"""

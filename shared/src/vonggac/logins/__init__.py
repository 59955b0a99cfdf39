"""Not locking a device's account: failed logins are counted over all who log in there, and rest after two in a row.

`counting` decides, `guard` remembers in the bucket `login_failures`. Prober and forwarder share it, since to a camera
they are one caller.
"""

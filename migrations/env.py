"""Run migrations on the connection that app.bootstrap.migrate() hands over."""

from alembic import context
from sqlalchemy import Connection, text

import app.models

# Two deployments starting at once must not migrate twice; any fixed number will do.
_LOCK = 0x494D5052  # "IMPR"


def run(connection: Connection) -> None:
    connection.execute(text("SET lock_timeout = '10s'"))
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    context.configure(
        connection=connection,
        target_metadata=app.models.Base.metadata,
        transactional_ddl=True,
        compare_type=True,
    )
    context.run_migrations()


run(context.config.attributes["connection"])

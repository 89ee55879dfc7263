"""Create every table of the first version."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0001"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "failed_sign_in",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("login", sa.String(length=64), nullable=False),
        sa.Column("network", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_failed_sign_in")),
    )
    op.create_index(
        "ix_failed_sign_in_login_network_at", "failed_sign_in", ["login", "network", "at"], unique=False
    )
    op.create_table(
        "tenant",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("short_name", sa.String(length=200), nullable=False),
        sa.Column("sector", sa.String(length=64), nullable=False),
        sa.Column("hotline", sa.String(length=64), nullable=False),
        sa.Column("brand_tokens", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tenant")),
        sa.UniqueConstraint("slug", name=op.f("uq_tenant_slug")),
    )
    op.create_table(
        "visitor_key",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("key", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_visitor_key")),
    )
    op.create_table(
        "audit_entry",
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tag", sa.String(length=64), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("subject_id", sa.String(length=64), nullable=False),
        sa.Column("record", sa.LargeBinary(), nullable=False),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_audit_entry_tenant_id_tenant")),
        sa.PrimaryKeyConstraint("tenant_id", "seq", name=op.f("pk_audit_entry")),
    )
    op.create_index(op.f("ix_audit_entry_tenant_id"), "audit_entry", ["tenant_id"], unique=False)
    op.create_table(
        "audit_head",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_audit_head_tenant_id_tenant")),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_audit_head")),
    )
    op.create_table(
        "org_unit",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column(
            "level",
            sa.Enum("hq", "branch", "sub_branch", "outlet", name="orglevel", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("path", sa.String(length=500), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["parent_id"], ["org_unit.id"], name=op.f("fk_org_unit_parent_id_org_unit")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_org_unit_tenant_id_tenant")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_org_unit")),
        sa.UniqueConstraint("tenant_id", "code", name=op.f("uq_org_unit_tenant_id_code")),
        sa.UniqueConstraint("tenant_id", "path", name=op.f("uq_org_unit_tenant_id_path")),
    )
    op.create_index(
        "ix_org_unit_path_prefix",
        "org_unit",
        ["path"],
        unique=False,
        postgresql_ops={"path": "text_pattern_ops"},
    )
    op.create_index(op.f("ix_org_unit_tenant_id"), "org_unit", ["tenant_id"], unique=False)
    op.create_table(
        "rendition",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("content_type", sa.String(length=64), nullable=False),
        sa.Column("width_px", sa.Integer(), nullable=False),
        sa.Column("height_px", sa.Integer(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("rendered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_rendition_tenant_id_tenant")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rendition")),
        sa.UniqueConstraint("tenant_id", "key", name=op.f("uq_rendition_tenant_id_key")),
    )
    op.create_index(op.f("ix_rendition_tenant_id"), "rendition", ["tenant_id"], unique=False)
    op.create_table(
        "template",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_template_tenant_id_tenant")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_template")),
        sa.UniqueConstraint("tenant_id", "slug", name=op.f("uq_template_tenant_id_slug")),
    )
    op.create_index(op.f("ix_template_tenant_id"), "template", ["tenant_id"], unique=False)
    op.create_table(
        "user_account",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("login", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("signed_in_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_user_account_tenant_id_tenant")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_account")),
        sa.UniqueConstraint("login", name=op.f("uq_user_account_login")),
    )
    op.create_index(op.f("ix_user_account_tenant_id"), "user_account", ["tenant_id"], unique=False)
    op.create_table(
        "advisor",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("org_unit_id", sa.Uuid(), nullable=False),
        sa.Column("staff_no", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("phone", sa.String(length=64), nullable=False),
        sa.Column("licence_no", sa.String(length=64), nullable=False),
        sa.Column("licence_until", sa.Date(), nullable=True),
        sa.Column("licences", postgresql.ARRAY(sa.String(length=64)), nullable=False),
        sa.Column("tags", postgresql.ARRAY(sa.String(length=64)), nullable=False),
        sa.Column("verified_fields", postgresql.ARRAY(sa.String(length=64)), nullable=False),
        sa.Column("photo_sha256", sa.String(length=64), nullable=True),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["org_unit_id"], ["org_unit.id"], name=op.f("fk_advisor_org_unit_id_org_unit")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_advisor_tenant_id_tenant")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_advisor_user_id_user_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_advisor")),
        sa.UniqueConstraint("tenant_id", "staff_no", name=op.f("uq_advisor_tenant_id_staff_no")),
        sa.UniqueConstraint("user_id", name=op.f("uq_advisor_user_id")),
    )
    op.create_index(op.f("ix_advisor_org_unit_id"), "advisor", ["org_unit_id"], unique=False)
    op.create_index("ix_advisor_tags", "advisor", ["tags"], unique=False, postgresql_using="gin")
    op.create_index(op.f("ix_advisor_tenant_id"), "advisor", ["tenant_id"], unique=False)
    op.create_table(
        "api_token",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("label", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_api_token_tenant_id_tenant")),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user_account.id"],
            name=op.f("fk_api_token_user_id_user_account"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_api_token")),
    )
    op.create_index(op.f("ix_api_token_tenant_id"), "api_token", ["tenant_id"], unique=False)
    op.create_index(op.f("ix_api_token_user_id"), "api_token", ["user_id"], unique=False)
    op.create_table(
        "asset",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("content_type", sa.String(length=64), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("width_px", sa.Integer(), nullable=False),
        sa.Column("height_px", sa.Integer(), nullable=False),
        sa.Column("rights", sa.Text(), nullable=False),
        sa.Column("rights_until", sa.Date(), nullable=True),
        sa.Column("uploaded_by", sa.Uuid(), nullable=True),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_asset_tenant_id_tenant")),
        sa.ForeignKeyConstraint(
            ["uploaded_by"], ["user_account.id"], name=op.f("fk_asset_uploaded_by_user_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_asset")),
        sa.UniqueConstraint("tenant_id", "sha256", name=op.f("uq_asset_tenant_id_sha256")),
    )
    op.create_index(op.f("ix_asset_tenant_id"), "asset", ["tenant_id"], unique=False)
    op.create_table(
        "membership",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "advisor",
                "brand",
                "reviewer",
                "operator",
                "branch_head",
                "administrator",
                "auditor",
                name="role",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("org_unit_id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["org_unit_id"], ["org_unit.id"], name=op.f("fk_membership_org_unit_id_org_unit")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_membership_tenant_id_tenant")),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user_account.id"],
            name=op.f("fk_membership_user_id_user_account"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_membership")),
        sa.UniqueConstraint(
            "user_id", "role", "org_unit_id", name=op.f("uq_membership_user_id_role_org_unit_id")
        ),
    )
    op.create_index(op.f("ix_membership_tenant_id"), "membership", ["tenant_id"], unique=False)
    op.create_table(
        "sign_in",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_sign_in_tenant_id_tenant")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_sign_in_user_id_user_account"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_sign_in")),
    )
    op.create_index(op.f("ix_sign_in_tenant_id"), "sign_in", ["tenant_id"], unique=False)
    op.create_index(op.f("ix_sign_in_user_id"), "sign_in", ["user_id"], unique=False)
    op.create_table(
        "template_version",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("template_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column(
            "state",
            sa.Enum("draft", "published", "retired", name="templatestate", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column(
            "product_type",
            sa.Enum(
                "none",
                "wealth",
                "fund",
                "money_fund",
                "insurance",
                "dividend_insurance",
                "loan",
                "deposit",
                "securities_advice",
                name="producttype",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("tags", postgresql.ARRAY(sa.String(length=64)), nullable=False),
        sa.Column("manifest", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("loaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("published_by", sa.Uuid(), nullable=True),
        sa.Column("cleared_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cleared_by", sa.Uuid(), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["cleared_by"], ["user_account.id"], name=op.f("fk_template_version_cleared_by_user_account")
        ),
        sa.ForeignKeyConstraint(
            ["published_by"], ["user_account.id"], name=op.f("fk_template_version_published_by_user_account")
        ),
        sa.ForeignKeyConstraint(
            ["template_id"], ["template.id"], name=op.f("fk_template_version_template_id_template")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_template_version_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_template_version")),
        sa.UniqueConstraint("template_id", "number", name=op.f("uq_template_version_template_id_number")),
    )
    op.create_index(op.f("ix_template_version_tenant_id"), "template_version", ["tenant_id"], unique=False)
    op.create_table(
        "piece",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "draft",
                "checking",
                "in_review",
                "changes_requested",
                "rejected",
                "withdrawn",
                "approved",
                "published",
                "expired",
                "taken_down",
                "recalled",
                "archived",
                name="piecestate",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("template_version_id", sa.Uuid(), nullable=False),
        sa.Column("advisor_id", sa.Uuid(), nullable=True),
        sa.Column("org_unit_id", sa.Uuid(), nullable=False),
        sa.Column(
            "product_type",
            sa.Enum(
                "none",
                "wealth",
                "fund",
                "money_fund",
                "insurance",
                "dividend_insurance",
                "loan",
                "deposit",
                "securities_advice",
                name="producttype",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("tags", postgresql.ARRAY(sa.String(length=64)), nullable=False),
        sa.Column("current_revision_id", sa.Uuid(), nullable=True),
        sa.Column("idempotency_key", sa.String(length=64), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state_since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["advisor_id"], ["advisor.id"], name=op.f("fk_piece_advisor_id_advisor")),
        sa.ForeignKeyConstraint(
            ["created_by"], ["user_account.id"], name=op.f("fk_piece_created_by_user_account")
        ),
        sa.ForeignKeyConstraint(
            ["current_revision_id"],
            ["piece_revision.id"],
            name=op.f("fk_piece_current_revision_id_piece_revision"),
            use_alter=True,
        ),
        sa.ForeignKeyConstraint(["org_unit_id"], ["org_unit.id"], name=op.f("fk_piece_org_unit_id_org_unit")),
        sa.ForeignKeyConstraint(
            ["template_version_id"],
            ["template_version.id"],
            name=op.f("fk_piece_template_version_id_template_version"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_piece_tenant_id_tenant")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_piece")),
        sa.UniqueConstraint("tenant_id", "idempotency_key", name=op.f("uq_piece_tenant_id_idempotency_key")),
    )
    op.create_index(op.f("ix_piece_advisor_id"), "piece", ["advisor_id"], unique=False)
    op.create_index(op.f("ix_piece_tenant_id"), "piece", ["tenant_id"], unique=False)
    op.create_index("ix_piece_tenant_id_state", "piece", ["tenant_id", "state"], unique=False)
    op.create_table(
        "daily_rollup",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("piece_id", sa.Uuid(), nullable=False),
        sa.Column("advisor_id", sa.Uuid(), nullable=False),
        sa.Column("org_unit_id", sa.Uuid(), nullable=False),
        sa.Column(
            "channel",
            sa.Enum(
                "qr",
                "moments",
                "group",
                "oa",
                "sms",
                "offline",
                name="linkchannel",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "kind",
            sa.Enum(
                "scan", "click", "forward", "view", "lead", name="eventkind", native_enum=False, length=32
            ),
            nullable=False,
        ),
        sa.Column("human", sa.Integer(), nullable=False),
        sa.Column("raw", sa.Integer(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["advisor_id"], ["advisor.id"], name=op.f("fk_daily_rollup_advisor_id_advisor")
        ),
        sa.ForeignKeyConstraint(
            ["org_unit_id"], ["org_unit.id"], name=op.f("fk_daily_rollup_org_unit_id_org_unit")
        ),
        sa.ForeignKeyConstraint(["piece_id"], ["piece.id"], name=op.f("fk_daily_rollup_piece_id_piece")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_daily_rollup_tenant_id_tenant")),
        sa.PrimaryKeyConstraint(
            "day", "piece_id", "advisor_id", "org_unit_id", "channel", "kind", name=op.f("pk_daily_rollup")
        ),
    )
    op.create_index(op.f("ix_daily_rollup_tenant_id"), "daily_rollup", ["tenant_id"], unique=False)
    op.create_index("ix_daily_rollup_tenant_id_day", "daily_rollup", ["tenant_id", "day"], unique=False)
    op.create_table(
        "edition",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("piece_id", sa.Uuid(), nullable=False),
        sa.Column("advisor_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["advisor_id"], ["advisor.id"], name=op.f("fk_edition_advisor_id_advisor")),
        sa.ForeignKeyConstraint(["piece_id"], ["piece.id"], name=op.f("fk_edition_piece_id_piece")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_edition_tenant_id_tenant")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_edition")),
        sa.UniqueConstraint("piece_id", "advisor_id", name=op.f("uq_edition_piece_id_advisor_id")),
    )
    op.create_index(op.f("ix_edition_advisor_id"), "edition", ["advisor_id"], unique=False)
    op.create_index(op.f("ix_edition_tenant_id"), "edition", ["tenant_id"], unique=False)
    op.create_table(
        "piece_revision",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("piece_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("template_version_id", sa.Uuid(), nullable=False),
        sa.Column("values", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("disclosure", sa.Text(), nullable=True),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("contributors", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["piece_id"], ["piece.id"], name=op.f("fk_piece_revision_piece_id_piece")),
        sa.ForeignKeyConstraint(
            ["template_version_id"],
            ["template_version.id"],
            name=op.f("fk_piece_revision_template_version_id_template_version"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_piece_revision_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_piece_revision")),
        sa.UniqueConstraint("piece_id", "number", name=op.f("uq_piece_revision_piece_id_number")),
    )
    op.create_index(op.f("ix_piece_revision_tenant_id"), "piece_revision", ["tenant_id"], unique=False)
    op.create_table(
        "piece_step",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("piece_id", sa.Uuid(), nullable=False),
        sa.Column(
            "before",
            sa.Enum(
                "draft",
                "checking",
                "in_review",
                "changes_requested",
                "rejected",
                "withdrawn",
                "approved",
                "published",
                "expired",
                "taken_down",
                "recalled",
                "archived",
                name="piecestate",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "action",
            sa.Enum(
                "edit",
                "submit",
                "pass_check",
                "fail_check",
                "approve",
                "request_changes",
                "reject",
                "withdraw",
                "publish",
                "expire",
                "take_down",
                "recall",
                "archive",
                name="pieceaction",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "after",
            sa.Enum(
                "draft",
                "checking",
                "in_review",
                "changes_requested",
                "rejected",
                "withdrawn",
                "approved",
                "published",
                "expired",
                "taken_down",
                "recalled",
                "archived",
                name="piecestate",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["piece_id"], ["piece.id"], name=op.f("fk_piece_step_piece_id_piece")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_piece_step_tenant_id_tenant")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_piece_step")),
    )
    op.create_index(op.f("ix_piece_step_piece_id"), "piece_step", ["piece_id"], unique=False)
    op.create_index(op.f("ix_piece_step_tenant_id"), "piece_step", ["tenant_id"], unique=False)
    op.create_table(
        "check_run",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("revision_id", sa.Uuid(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("ruleset_version", sa.String(length=64), nullable=False),
        sa.Column("ruleset_digest", sa.String(length=64), nullable=False),
        sa.Column("verdict", sa.String(length=64), nullable=True),
        sa.Column("report", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["revision_id"], ["piece_revision.id"], name=op.f("fk_check_run_revision_id_piece_revision")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_check_run_tenant_id_tenant")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_check_run")),
    )
    op.create_index(op.f("ix_check_run_revision_id"), "check_run", ["revision_id"], unique=False)
    op.create_index(op.f("ix_check_run_tenant_id"), "check_run", ["tenant_id"], unique=False)
    op.create_table(
        "event",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("occurred_on", sa.Date(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "scan", "click", "forward", "view", "lead", name="eventkind", native_enum=False, length=32
            ),
            nullable=False,
        ),
        sa.Column(
            "hit_class",
            sa.Enum("human", "preview", "bot", "internal", name="hitclass", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("class_reason", sa.String(length=64), nullable=False),
        sa.Column("piece_id", sa.Uuid(), nullable=False),
        sa.Column("edition_id", sa.Uuid(), nullable=False),
        sa.Column("advisor_id", sa.Uuid(), nullable=False),
        sa.Column("org_unit_id", sa.Uuid(), nullable=False),
        sa.Column(
            "channel",
            sa.Enum(
                "qr",
                "moments",
                "group",
                "oa",
                "sms",
                "offline",
                name="linkchannel",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("visitor", sa.String(length=64), nullable=False),
        sa.Column("network", sa.String(length=64), nullable=False),
        sa.Column("visit_token", sa.String(length=64), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["advisor_id"], ["advisor.id"], name=op.f("fk_event_advisor_id_advisor")),
        sa.ForeignKeyConstraint(["edition_id"], ["edition.id"], name=op.f("fk_event_edition_id_edition")),
        sa.ForeignKeyConstraint(["org_unit_id"], ["org_unit.id"], name=op.f("fk_event_org_unit_id_org_unit")),
        sa.ForeignKeyConstraint(["piece_id"], ["piece.id"], name=op.f("fk_event_piece_id_piece")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_event_tenant_id_tenant")),
        sa.PrimaryKeyConstraint("id", "occurred_on", name=op.f("pk_event")),
        postgresql_partition_by="RANGE (occurred_on)",
    )
    op.create_index("ix_event_advisor_id_occurred_on", "event", ["advisor_id", "occurred_on"], unique=False)
    op.create_index(op.f("ix_event_tenant_id"), "event", ["tenant_id"], unique=False)
    op.create_index("ix_event_tenant_id_occurred_on", "event", ["tenant_id", "occurred_on"], unique=False)
    op.create_table(
        "lead",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("piece_id", sa.Uuid(), nullable=False),
        sa.Column("edition_id", sa.Uuid(), nullable=False),
        sa.Column("advisor_id", sa.Uuid(), nullable=False),
        sa.Column("visit_token", sa.String(length=64), nullable=True),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("phone", sa.String(length=64), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("consent_text", sa.Text(), nullable=False),
        sa.Column("consented_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["advisor_id"], ["advisor.id"], name=op.f("fk_lead_advisor_id_advisor")),
        sa.ForeignKeyConstraint(["edition_id"], ["edition.id"], name=op.f("fk_lead_edition_id_edition")),
        sa.ForeignKeyConstraint(["piece_id"], ["piece.id"], name=op.f("fk_lead_piece_id_piece")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_lead_tenant_id_tenant")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lead")),
        sa.UniqueConstraint("visit_token", name=op.f("uq_lead_visit_token")),
    )
    op.create_index(op.f("ix_lead_advisor_id"), "lead", ["advisor_id"], unique=False)
    op.create_index(op.f("ix_lead_tenant_id"), "lead", ["tenant_id"], unique=False)
    op.create_table(
        "short_link",
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("edition_id", sa.Uuid(), nullable=False),
        sa.Column(
            "channel",
            sa.Enum(
                "qr",
                "moments",
                "group",
                "oa",
                "sms",
                "offline",
                name="linkchannel",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["edition_id"], ["edition.id"], name=op.f("fk_short_link_edition_id_edition")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_short_link_tenant_id_tenant")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_short_link")),
    )
    op.create_index(op.f("ix_short_link_tenant_id"), "short_link", ["tenant_id"], unique=False)
    op.create_index("uq_short_link_edition_channel", "short_link", ["edition_id", "channel"], unique=True)
    op.create_table(
        "finding",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("rule", sa.String(length=64), nullable=False),
        sa.Column("severity", sa.String(length=64), nullable=False),
        sa.Column("field", sa.String(length=64), nullable=False),
        sa.Column("start", sa.Integer(), nullable=False),
        sa.Column("end", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("suggestion", sa.Text(), nullable=True),
        sa.Column("layer", sa.String(length=64), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["check_run.id"], name=op.f("fk_finding_run_id_check_run")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_finding_tenant_id_tenant")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_finding")),
    )
    op.create_index(op.f("ix_finding_run_id"), "finding", ["run_id"], unique=False)
    op.create_index(op.f("ix_finding_tenant_id"), "finding", ["tenant_id"], unique=False)
    op.create_table(
        "review",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("piece_id", sa.Uuid(), nullable=False),
        sa.Column("revision_id", sa.Uuid(), nullable=False),
        sa.Column("check_run_id", sa.Uuid(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column(
            "route", sa.Enum("auto", "one_step", name="route", native_enum=False, length=32), nullable=False
        ),
        sa.Column(
            "state",
            sa.Enum("open", "decided", "closed", name="reviewstate", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claimed_by", sa.Uuid(), nullable=True),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["check_run_id"], ["check_run.id"], name=op.f("fk_review_check_run_id_check_run")
        ),
        sa.ForeignKeyConstraint(
            ["claimed_by"], ["user_account.id"], name=op.f("fk_review_claimed_by_user_account")
        ),
        sa.ForeignKeyConstraint(["piece_id"], ["piece.id"], name=op.f("fk_review_piece_id_piece")),
        sa.ForeignKeyConstraint(
            ["revision_id"], ["piece_revision.id"], name=op.f("fk_review_revision_id_piece_revision")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_review_tenant_id_tenant")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review")),
        sa.UniqueConstraint("piece_id", "round", name=op.f("uq_review_piece_id_round")),
    )
    op.create_index(
        "ix_review_open",
        "review",
        ["tenant_id", "opened_at"],
        unique=False,
        postgresql_where="state = 'open'",
    )
    op.create_index(op.f("ix_review_piece_id"), "review", ["piece_id"], unique=False)
    op.create_index(op.f("ix_review_tenant_id"), "review", ["tenant_id"], unique=False)
    op.create_table(
        "visit",
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("visitor", sa.String(length=64), nullable=False),
        sa.Column(
            "hit_class",
            sa.Enum("human", "preview", "bot", "internal", name="hitclass", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("parent_token", sa.String(length=64), nullable=True),
        sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("viewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["code"], ["short_link.code"], name=op.f("fk_visit_code_short_link")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_visit_tenant_id_tenant")),
        sa.PrimaryKeyConstraint("token", name=op.f("pk_visit")),
    )
    op.create_index(op.f("ix_visit_tenant_id"), "visit", ["tenant_id"], unique=False)
    op.create_table(
        "decision",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("piece_id", sa.Uuid(), nullable=False),
        sa.Column("revision_id", sa.Uuid(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column(
            "outcome",
            sa.Enum("approve", "request_changes", "reject", name="outcome", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("shown_sha256", sa.String(length=64), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seal", sa.String(length=64), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["user_account.id"], name=op.f("fk_decision_decided_by_user_account")
        ),
        sa.ForeignKeyConstraint(["piece_id"], ["piece.id"], name=op.f("fk_decision_piece_id_piece")),
        sa.ForeignKeyConstraint(["review_id"], ["review.id"], name=op.f("fk_decision_review_id_review")),
        sa.ForeignKeyConstraint(
            ["revision_id"], ["piece_revision.id"], name=op.f("fk_decision_revision_id_piece_revision")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_decision_tenant_id_tenant")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decision")),
        sa.UniqueConstraint("review_id", name=op.f("uq_decision_review_id")),
    )
    op.create_index(op.f("ix_decision_piece_id"), "decision", ["piece_id"], unique=False)
    op.create_index(op.f("ix_decision_tenant_id"), "decision", ["tenant_id"], unique=False)
    op.create_table(
        "publication",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("piece_id", sa.Uuid(), nullable=False),
        sa.Column("revision_id", sa.Uuid(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("decision_id", sa.Uuid(), nullable=False),
        sa.Column("approval_no", sa.String(length=64), nullable=False),
        sa.Column("audience_path", sa.String(length=500), nullable=False),
        sa.Column("audience_tags", postgresql.ARRAY(sa.String(length=64)), nullable=False),
        sa.Column("audience_advisor_id", sa.Uuid(), nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_by", sa.Uuid(), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Uuid(), nullable=True),
        sa.Column(
            "end_reason",
            sa.Enum(
                "expired",
                "taken_down",
                "recalled",
                "replaced",
                name="endreason",
                native_enum=False,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("end_note", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["audience_advisor_id"], ["advisor.id"], name=op.f("fk_publication_audience_advisor_id_advisor")
        ),
        sa.ForeignKeyConstraint(
            ["decision_id"], ["decision.id"], name=op.f("fk_publication_decision_id_decision")
        ),
        sa.ForeignKeyConstraint(
            ["ended_by"], ["user_account.id"], name=op.f("fk_publication_ended_by_user_account")
        ),
        sa.ForeignKeyConstraint(["piece_id"], ["piece.id"], name=op.f("fk_publication_piece_id_piece")),
        sa.ForeignKeyConstraint(
            ["published_by"], ["user_account.id"], name=op.f("fk_publication_published_by_user_account")
        ),
        sa.ForeignKeyConstraint(
            ["revision_id"], ["piece_revision.id"], name=op.f("fk_publication_revision_id_piece_revision")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_publication_tenant_id_tenant")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_publication")),
        sa.UniqueConstraint("approval_no", name=op.f("uq_publication_approval_no")),
    )
    op.create_index(op.f("ix_publication_piece_id"), "publication", ["piece_id"], unique=False)
    op.create_index(op.f("ix_publication_tenant_id"), "publication", ["tenant_id"], unique=False)
    op.create_index(
        "uq_publication_live_piece",
        "publication",
        ["piece_id"],
        unique=True,
        postgresql_where="ended_at IS NULL",
    )


def downgrade() -> None:
    op.drop_index("uq_publication_live_piece", table_name="publication", postgresql_where="ended_at IS NULL")
    op.drop_index(op.f("ix_publication_tenant_id"), table_name="publication")
    op.drop_index(op.f("ix_publication_piece_id"), table_name="publication")
    op.drop_table("publication")
    op.drop_index(op.f("ix_decision_tenant_id"), table_name="decision")
    op.drop_index(op.f("ix_decision_piece_id"), table_name="decision")
    op.drop_table("decision")
    op.drop_index(op.f("ix_visit_tenant_id"), table_name="visit")
    op.drop_table("visit")
    op.drop_index(op.f("ix_review_tenant_id"), table_name="review")
    op.drop_index(op.f("ix_review_piece_id"), table_name="review")
    op.drop_index("ix_review_open", table_name="review", postgresql_where="state = 'open'")
    op.drop_table("review")
    op.drop_index(op.f("ix_finding_tenant_id"), table_name="finding")
    op.drop_index(op.f("ix_finding_run_id"), table_name="finding")
    op.drop_table("finding")
    op.drop_index("uq_short_link_edition_channel", table_name="short_link")
    op.drop_index(op.f("ix_short_link_tenant_id"), table_name="short_link")
    op.drop_table("short_link")
    op.drop_index(op.f("ix_lead_tenant_id"), table_name="lead")
    op.drop_index(op.f("ix_lead_advisor_id"), table_name="lead")
    op.drop_table("lead")
    op.drop_index("ix_event_tenant_id_occurred_on", table_name="event")
    op.drop_index(op.f("ix_event_tenant_id"), table_name="event")
    op.drop_index("ix_event_advisor_id_occurred_on", table_name="event")
    op.drop_table("event")
    op.drop_index(op.f("ix_check_run_tenant_id"), table_name="check_run")
    op.drop_index(op.f("ix_check_run_revision_id"), table_name="check_run")
    op.drop_table("check_run")
    op.drop_index(op.f("ix_piece_step_tenant_id"), table_name="piece_step")
    op.drop_index(op.f("ix_piece_step_piece_id"), table_name="piece_step")
    op.drop_table("piece_step")
    op.drop_index(op.f("ix_piece_revision_tenant_id"), table_name="piece_revision")
    op.drop_table("piece_revision")
    op.drop_index(op.f("ix_edition_tenant_id"), table_name="edition")
    op.drop_index(op.f("ix_edition_advisor_id"), table_name="edition")
    op.drop_table("edition")
    op.drop_index("ix_daily_rollup_tenant_id_day", table_name="daily_rollup")
    op.drop_index(op.f("ix_daily_rollup_tenant_id"), table_name="daily_rollup")
    op.drop_table("daily_rollup")
    op.drop_index("ix_piece_tenant_id_state", table_name="piece")
    op.drop_index(op.f("ix_piece_tenant_id"), table_name="piece")
    op.drop_index(op.f("ix_piece_advisor_id"), table_name="piece")
    op.drop_table("piece")
    op.drop_index(op.f("ix_template_version_tenant_id"), table_name="template_version")
    op.drop_table("template_version")
    op.drop_index(op.f("ix_sign_in_user_id"), table_name="sign_in")
    op.drop_index(op.f("ix_sign_in_tenant_id"), table_name="sign_in")
    op.drop_table("sign_in")
    op.drop_index(op.f("ix_membership_tenant_id"), table_name="membership")
    op.drop_table("membership")
    op.drop_index(op.f("ix_asset_tenant_id"), table_name="asset")
    op.drop_table("asset")
    op.drop_index(op.f("ix_api_token_user_id"), table_name="api_token")
    op.drop_index(op.f("ix_api_token_tenant_id"), table_name="api_token")
    op.drop_table("api_token")
    op.drop_index(op.f("ix_advisor_tenant_id"), table_name="advisor")
    op.drop_index("ix_advisor_tags", table_name="advisor", postgresql_using="gin")
    op.drop_index(op.f("ix_advisor_org_unit_id"), table_name="advisor")
    op.drop_table("advisor")
    op.drop_index(op.f("ix_user_account_tenant_id"), table_name="user_account")
    op.drop_table("user_account")
    op.drop_index(op.f("ix_template_tenant_id"), table_name="template")
    op.drop_table("template")
    op.drop_index(op.f("ix_rendition_tenant_id"), table_name="rendition")
    op.drop_table("rendition")
    op.drop_index(op.f("ix_org_unit_tenant_id"), table_name="org_unit")
    op.drop_index(
        "ix_org_unit_path_prefix", table_name="org_unit", postgresql_ops={"path": "text_pattern_ops"}
    )
    op.drop_table("org_unit")
    op.drop_table("audit_head")
    op.drop_index(op.f("ix_audit_entry_tenant_id"), table_name="audit_entry")
    op.drop_table("audit_entry")
    op.drop_table("visitor_key")
    op.drop_table("tenant")
    op.drop_index("ix_failed_sign_in_login_network_at", table_name="failed_sign_in")
    op.drop_table("failed_sign_in")

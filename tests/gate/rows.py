"""What the rows say, asked past every service: how it stands, what must never be, what hands may forge."""

from __future__ import annotations

from typing import Final

from sqlalchemy import text

# Everything of one piece that a refused or repeated act must leave as it was.
SNAPSHOT: Final = text(
    """SELECT (SELECT json_build_array(state, current_revision_id, state_since, correcting)::text
           FROM piece WHERE id = :piece),
        (SELECT json_agg(r ORDER BY r.number)::text FROM piece_revision r WHERE piece_id = :piece),
        (SELECT json_agg(json_build_array(v.id, v.state, v.route_id) ORDER BY v.round)::text FROM review v
          WHERE piece_id = :piece),
        (SELECT json_agg(json_build_array(s.state, s.due_at) ORDER BY v.round, s.position)::text
           FROM review_step s JOIN review v ON v.id = s.review_id WHERE v.piece_id = :piece),
        (SELECT json_agg(d ORDER BY d.decided_at, d.id)::text FROM decision d WHERE piece_id = :piece),
        (SELECT json_agg(p ORDER BY p.published_at, p.id)::text FROM publication p WHERE piece_id = :piece)"""
)

# Faults of one piece, each with the invariant it breaks; there must be none.
NEVER: Final = text(
    """WITH final AS (SELECT * FROM decision WHERE piece_id = :piece AND is_final)
    SELECT 'I3: a round with two final decisions' AS fault
      FROM final GROUP BY review_id HAVING count(*) > 1
    UNION ALL SELECT 'I5: an approval on a check of other content, or on one that blocks'
      FROM final f JOIN review v ON v.id = f.review_id JOIN check_run c ON c.id = v.check_run_id
     WHERE f.outcome = 'approve' AND (c.completed_at IS NULL OR c.content_hash <> f.content_hash
        OR c.report ->> 'verdict' = 'block')
    UNION ALL SELECT 'I3: a final approval whose steps lack different people'
      FROM final f JOIN review v ON v.id = f.review_id JOIN route_step s ON s.route_id = v.route_id
     WHERE f.outcome = 'approve' AND f.decided_by IS NOT NULL AND s.quorum > (
        SELECT count(DISTINCT a.person_id) FROM decision d JOIN review_step t ON t.id = d.step_id
          JOIN user_account a ON a.id = d.decided_by
         WHERE d.review_id = v.id AND t.route_step_id = s.id AND d.outcome = 'approve')
    UNION ALL SELECT 'I2: a person decided on what they had a hand in'
      FROM decision d JOIN piece_revision r ON r.id = d.revision_id JOIN user_account a ON a.id = d.decided_by
      JOIN user_account c ON c.id = ANY (r.contributors) AND c.person_id = a.person_id
     WHERE d.piece_id = :piece
    UNION ALL SELECT 'I13: approved, first used and last used in another order'
      FROM publication p JOIN decision d ON d.id = p.decision_id
     WHERE p.piece_id = :piece AND NOT (d.decided_at <= p.published_at
        AND (p.ended_at IS NULL OR p.published_at <= p.ended_at))
    UNION ALL SELECT 'I1: a publication of other content than was approved'
      FROM publication p JOIN decision d ON d.id = p.decision_id
      JOIN piece_revision r ON r.id = p.revision_id
     WHERE p.piece_id = :piece AND NOT (d.is_final AND d.outcome = 'approve'
        AND d.content_hash = p.content_hash AND r.content_hash = p.content_hash)
    UNION ALL SELECT 'I4: two contents under one hash, or one content under two'
      FROM piece_revision r JOIN piece_revision o ON o.piece_id = r.piece_id AND o.id <> r.id
     WHERE r.piece_id = :piece AND (r.values = o.values) <> (r.content_hash = o.content_hash)
    UNION ALL SELECT 'I3: a round outlives the review of its piece'
      FROM review v JOIN piece p ON p.id = v.piece_id
     WHERE v.piece_id = :piece AND v.state = 'open' AND p.state <> 'in_review'"""
)

# What only ever becomes more (I14).
KEPT: Final = text(
    """SELECT (SELECT count(*) FROM decision), (SELECT count(*) FROM publication),
        (SELECT count(*) FROM piece_revision), (SELECT count(*) FROM check_run),
        (SELECT count(*) FROM archive_item), (SELECT coalesce(max(seq), 0) FROM audit_entry)"""
)

STEPS: Final = text("SELECT before, action, after FROM piece_step WHERE piece_id = :piece")
ENTRIES: Final = text(
    """SELECT e.tag, convert_from(e.record, 'UTF8') FROM audit_entry e
        WHERE e.subject_id = :piece OR e.record LIKE :mention ORDER BY e.seq"""
)
STATE: Final = text("SELECT state FROM piece WHERE id = :piece")

# What somebody with a console might write in another's name.
FORGERIES: Final = {
    "vote": text(
        """INSERT INTO decision (id, tenant_id, review_id, step_id, is_final, piece_id, revision_id,
            content_hash, outcome, reason, decided_by, decided_at, seal)
        SELECT gen_random_uuid(), v.tenant_id, v.id, s.id, true, v.piece_id, v.revision_id, r.content_hash,
            'approve', '', :by, now(), repeat('0', 64)
          FROM review v JOIN piece_revision r ON r.id = v.revision_id
          JOIN review_step s ON s.review_id = v.id AND s.state = 'open' WHERE v.piece_id = :piece"""
    ),
    "publication": text(
        """INSERT INTO publication (id, tenant_id, piece_id, revision_id, content_hash, decision_id,
            approval_no, audience_path, audience_tags, why, valid_from, valid_until, published_at, end_note)
        SELECT gen_random_uuid(), d.tenant_id, d.piece_id, r.id, r.content_hash, d.id, :number, '/HQ/', '{}',
            '', now(), now() + interval '1 day', now(), ''
          FROM decision d JOIN piece p ON p.id = d.piece_id
          JOIN piece_revision r ON r.id = p.current_revision_id
         WHERE d.piece_id = :piece ORDER BY d.decided_at DESC LIMIT 1"""
    ),
    "words": text('UPDATE piece_revision SET values = \'{"headline": "保本"}\' WHERE piece_id = :piece'),
    "outcome": text("UPDATE decision SET outcome = 'approve', is_final = true WHERE piece_id = :piece"),
    "date": text("UPDATE publication SET published_at = now() WHERE piece_id = :piece"),
    "revival": text(
        "UPDATE publication SET ended_at = NULL WHERE piece_id = :piece AND ended_at IS NOT NULL"
    ),
    "unmade decision": text("DELETE FROM decision WHERE piece_id = :piece"),
    "unmade publication": text("DELETE FROM publication WHERE piece_id = :piece"),
    "unmade content": text("DELETE FROM piece_revision WHERE piece_id = :piece"),
    "unmade record": text("DELETE FROM archive_item WHERE piece_id = :piece"),
    "unmade entry": text("DELETE FROM audit_entry WHERE subject_id = cast(:piece AS text)"),
}

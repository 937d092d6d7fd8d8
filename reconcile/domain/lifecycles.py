"""The allowed transitions of everything that has a status. The schema holds the same rows and refuses all others."""

NEW = "new"
"""Where a row comes from when it is inserted."""

TRANSITIONS: dict[str, frozenset[tuple[str, str]]] = {
    "batch": frozenset(
        {
            (NEW, "landed"),
            ("landed", "published"),
            ("landed", "refused"),
            ("refused", "landed"),
            ("published", "withdrawn"),
        }
    ),
    "case": frozenset(
        {
            (NEW, "open"),
            ("open", "remedied"),
            ("open", "self_settled"),
            ("open", "rejected"),
            ("open", "written_off"),
            ("remedied", "closed"),
            ("self_settled", "closed"),
            ("rejected", "closed"),
            ("written_off", "closed"),
            ("closed", "open"),
        }
    ),
    "incident": frozenset(
        {
            (NEW, "open"),
            ("open", "recovered"),
            ("recovered", "open"),
            ("recovered", "approved"),
            ("open", "closed"),
            ("recovered", "closed"),
            ("approved", "recovered"),
            ("approved", "closed"),
        }
    ),
    "approval": frozenset(
        {
            (NEW, "proposed"),
            ("proposed", "approved"),
            ("proposed", "rejected"),
            ("proposed", "expired"),
            ("proposed", "void"),
            ("approved", "void"),
        }
    ),
    "intent": frozenset(
        {
            (NEW, "planned"),
            ("planned", "awaiting_approval"),
            ("planned", "approved"),
            ("awaiting_approval", "approved"),
            ("approved", "awaiting_approval"),
            ("approved", "reserved"),
            ("reserved", "approved"),
            ("reserved", "executing"),
            ("executing", "approved"),
            ("executing", "credited"),
            ("credited", "verified"),
            ("credited", "escalated"),
            ("executing", "escalated"),
            *(
                (status, ended)
                for status in ("planned", "awaiting_approval", "approved", "reserved")
                for ended in ("void", "rejected", "expired", "escalated")
            ),
            ("escalated", "credited"),
            ("escalated", "verified"),
            ("escalated", "void"),
        }
    ),
    "attempt": frozenset(
        {
            (NEW, "created"),
            ("created", "sending"),
            ("sending", "accepted"),
            ("sending", "confirmed"),
            ("sending", "failed_proven"),
            ("sending", "unknown"),
            ("accepted", "confirmed"),
            ("accepted", "failed_proven"),
            ("accepted", "unknown"),
            ("unknown", "confirmed"),
            ("unknown", "failed_proven"),
        }
    ),
    "notice": frozenset(
        {
            (NEW, "planned"),
            ("planned", "submitting"),
            ("planned", "suppressed"),
            ("submitting", "submitted"),
            ("submitting", "planned"),
            ("submitting", "uncertain"),
            ("submitting", "failed"),
            ("uncertain", "delivered"),
            ("uncertain", "failed"),
            ("submitted", "delivered"),
            ("submitted", "failed"),
        }
    ),
    "promise": frozenset(
        {
            (NEW, "open"),
            ("open", "kept"),
            ("open", "broken"),
            ("open", "cancelled"),
        }
    ),
}

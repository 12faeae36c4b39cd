"""Departed people in SQL: abandoned stores, and the applications that need a successor (D157).

A store is abandoned when every manager that the staff master knows of it has left and no
substitute acts for one of them today.
"""

from returns_service.rules.departures import AT_STORE, OPEN_AT_DEALER

ABANDONED = """
    SELECT manager.store_code FROM staff manager
    WHERE manager.dealer_id = :dealer AND manager.role = 'manager' {narrowed}
    GROUP BY manager.dealer_id, manager.store_code
    HAVING NOT bool_or(manager.active) AND NOT EXISTS (
        SELECT FROM substitute
        JOIN staff deputy ON deputy.dealer_id = substitute.dealer_id AND deputy.active
            AND deputy.dealer_id || '-' || deputy.staff_code = substitute.substitute_id
        WHERE substitute.dealer_id = manager.dealer_id
            AND substitute.approver_store = manager.store_code AND substitute.ended_at IS NULL
            AND CAST(:left_on AS date) BETWEEN substitute.from_on AND substitute.to_on)
"""
_OPEN = ", ".join(f"'{status}'" for status in OPEN_AT_DEALER)
_AT_STORE = ", ".join(f"'{status}'" for status in AT_STORE)
NEEDS_SUCCESSOR = f"""(status IN ({_OPEN}) AND (
    originator_id IN (SELECT dealer_id || '-' || staff_code FROM staff
                      WHERE staff.dealer_id = :dealer AND NOT staff.active)
    OR status IN ({_AT_STORE}) AND 'store' = ANY(levels)
       AND store_code IN ({ABANDONED.format(narrowed="")})))"""  # noqa: S608 - constants only
"""The condition on rows of `application` for which `departure` finds something."""

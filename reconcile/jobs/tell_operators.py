"""The job that tells whoever looks after the installation what needs a person."""

from reconcile.alerts import channel, conditions, outbox
from reconcile.jobs.world import World


def tell_operators(world: World) -> dict[str, int]:
    """Tells each stage of each cause once; returns how many are open, were told, and could not be told.

    Needs neither Airflow nor any other job to run. Where `[alerts]` is not configured, or another process is telling at this
    moment, nothing is done. What no address took is tried again by the next run.
    """
    settings = world.configuration.alerts
    if settings is None:
        return {}
    urls = [secret.read() for secret in settings.urls]
    counts = {"open": 0, "told": 0, "not_told": 0}
    with outbox.only_teller(world.database) as alone:
        if not alone:
            return counts
        with world.database.begin() as connection:
            current = conditions.current(connection, settings, world.clock.now())
            outbox.bring_up_to_date(connection, current)
            news = outbox.to_tell(connection)
        counts["open"] = len(current)
        for alert in news:
            took = channel.tell(urls, alert)
            with world.database.begin() as connection:
                (outbox.told if took else outbox.not_told)(connection, alert)
            counts["told" if took else "not_told"] += 1
    return counts

from reconcile.jobs.world import World
from reconcile.remedy.dispatch import Dispatcher
from reconcile.remedy.gsma import GsmaGateway
from reconcile.store import audit


def dispatch_flow(world: World, flow: str) -> dict[str, int]:
    """Pays the approved intents of a flow and resolves what is open; returns what became of them, by name."""
    section = world.configuration.gateways.get(flow)
    with world.job("dispatch_flow", flow) as run:
        if section is not None:
            gateway = GsmaGateway(section)
            try:
                run.counts.update(
                    Dispatcher(
                        database=world.database,
                        gateway=gateway,
                        clock=world.clock,
                        flow=flow,
                        id_horizon=section.id_horizon,
                        requests_per_second=section.requests_per_second,
                        concurrency=section.concurrency,
                    ).run()
                )
            finally:
                gateway.close()
        with world.database.begin() as connection:
            audit.seal(connection)
    return run.counts

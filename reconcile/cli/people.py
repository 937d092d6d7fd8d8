"""Who may sign in, and what people decide about a flow."""

from typing import Annotated

import typer

from reconcile.cli import console
from reconcile.cli.console import FlowArgument

app = typer.Typer()
user = typer.Typer(no_args_is_help=True, help="People who may sign in to the desk.")
app.add_typer(user, name="user")


@app.command()
def stop(
    flow: FlowArgument, reason: Annotated[str, typer.Option(prompt=True, help="Why; it goes into the audit.")]
) -> None:
    """Stop a flow at once: nothing is paid and nobody is told anything. One person may always stop."""
    import getpass

    from reconcile.remedy import modes

    world = console.application().world
    world.configuration.flow(flow)
    with world.database.begin() as connection:
        modes.stop(connection, flow=flow, actor=f"user:{getpass.getuser()}", reason=reason, now=world.clock.now())
    console.out.print(f"{flow} is stopped")


@app.command()
def activate(
    flow: FlowArgument,
    maker: Annotated[str, typer.Option(prompt=True, help="Who proposes it.")],
    approver: Annotated[str, typer.Option(prompt=True, help="Who agrees; somebody else.")],
    reason: Annotated[str, typer.Option(prompt=True, help="Why; it goes into the audit.")],
) -> None:
    """Put the mode and the limits of the configuration into force; two people who may sign in must agree."""
    application = console.application()
    passwords = {name: typer.prompt(f"Password of {name}", hide_input=True) for name in (maker, approver)}
    mode = application.activate(flow, maker=maker, approver=approver, passwords=passwords, reason=reason)
    console.out.print(f"{flow} is {mode}")


@user.command("add")
def user_add(
    username: str,
    role: Annotated[str, typer.Option(help="agent, supervisor, auditor, engineer or admin")] = "agent",
    name: Annotated[str, typer.Option(help="What the desk calls this person.")] = "",
    language: Annotated[str, typer.Option(help="fr or en")] = "fr",
    password: Annotated[str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True)] = "",
) -> None:
    """Let somebody sign in to the desk, or change how."""
    from reconcile.desk.accounts import ensure_user

    with console.application().world.database.begin() as connection:
        ensure_user(connection, username, password, role, name or username, language)
    console.out.print(f"{username} may sign in as {role}")

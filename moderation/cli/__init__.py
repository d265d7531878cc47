"""The command line. Modules here import nothing heavy: commands reach for it when they run."""


def main() -> None:
    """Run `moderation`, and exit the process with the command's code."""
    from moderation.cli.root import run

    run()

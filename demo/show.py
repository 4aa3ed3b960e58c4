"""`sojourn demo`: the example on a stack of its own, played from first to last. demo/performance.py plays; this shows it."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path

from rich.console import Console

from commands import report as reporting
from commands.http import Api
from demo.cast import JOURNEY
from demo.catchers import MailCatcher, PushCatcher
from demo.dev import end_when_terminated, until_interrupted
from demo.performance import WRITE_KEY, Result, perform, shortened
from demo.stack import Stack, stack
from settings import Settings

EXAMPLE = Path(__file__).parent.parent / "examples" / "three-cities"
_SHOWN = 3


async def run(settings: Settings, console: Console, *, leave: bool) -> int:
    """Play, print, and stay up unless told to leave. The last line is the JSON of what was counted; 0 when every number is right."""
    end_when_terminated()
    folder = settings.data_dir / "demo"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    async with MailCatcher() as mail, PushCatcher() as push:
        settings = settings.model_copy(
            update={
                "data_dir": folder, "database_url": "", "smtp_url": f"smtp://127.0.0.1:{mail.port}", "push_url": push.url,
                "fcm_credentials": None, "public_url": "", "write_keys": {WRITE_KEY: "customer_id"}, "consent": "implicit",
            }
        )  # fmt: skip
        async with stack(settings, own_server=True) as running:
            console.print(f"API {running.api_url}   Temporal UI {running.ui_url}   mails at 127.0.0.1:{mail.port}, pushes at {push.url}")
            example = folder / "three-cities"
            console.print(f"One duration of the example is changed, so that you need not wait a day:  {shortened(EXAMPLE, example)}")
            result = await perform(example, running.api_url, settings.admin_key, mail, push, console.print)
            await asyncio.to_thread(_show, console, running, settings, result)
            if not leave:
                console.print("\nEverything stays up; stop with Ctrl+C.")
            print(json.dumps(result.counted), flush=True)
            if not leave:
                await until_interrupted()
    return 1 if result.differences else 0


def _show(console: Console, running: Stack, settings: Settings, result: Result) -> None:
    console.print(reporting.table(result.report))
    for sentence in reporting.sentences(result.report):
        console.print(sentence)
    with Api(running.api_url, settings.admin_key) as api:
        for part in ("push-opened", "email-opened", "silent"):
            _show_path(console, api, part)
    namespace = settings.temporal_namespace
    console.print("\nWhere to look:")
    console.print(f"  {running.api_url}/                                        a page of links", soft_wrap=True)
    console.print(f"  {running.api_url}/v1/journeys/{JOURNEY}/diagram           the journey with its numbers (admin key)", soft_wrap=True)
    console.print(f"  {running.ui_url}/namespaces/{namespace}/workflows   every person as one workflow", soft_wrap=True)
    console.print(f"  the admin key: {_where_the_key_is(settings)}", soft_wrap=True)
    for difference in result.differences:
        console.print(f"[bold red]Wrong:[/] {difference}")


def _where_the_key_is(settings: Settings) -> str:
    """The demo keeps its data one folder below that of the installation whose key it uses."""
    file = settings.data_dir.parent / "admin_key"
    return str(file) if file.exists() and file.read_text().strip() == settings.admin_key else "as SOJOURN_ADMIN_KEY has it"


def _show_path(console: Console, api: Api, part: str) -> None:
    """The path of the first person found who went this way."""
    node, taken = ("email-opened", "timeout") if part == "silent" else (part, "next")
    for one in api.get("/v1/entrants", journey=JOURNEY, limit=100)["items"]:
        story = api.get(f"/v1/entrants/{one['id']}")
        if any((step["left"], step["exit"]) == (node, taken) for step in story["path"]):
            console.print(f"\n[bold]{one['id']}[/] ({part})")
            for step in story["path"]:
                console.print(f"  {step['n']}  {step['closed_at']}  {step['said']}", soft_wrap=True, highlight=False)
            return

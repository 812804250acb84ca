"""The step ``signal``: ask the model or the rules, then let code check and decide."""

from services.signals import rules
from services.signals.answer import read
from services.signals.decide import decide
from services.signals.model import Model
from services.signals.prompt import Prompt, UnknownPromptError, render
from shared.canonical import sha256_of
from shared.envelope import Cause
from shared.events.evidence import EvidenceCaptured
from shared.events.signal import ModelCall, SignalChecked
from shared.failures import StepFailedError
from shared.stage import Results, Stage
from shared.topics import EVIDENCE_CAPTURED

STEP = "signal"


def register(stage: Stage, model: Model | None) -> None:
    """Subscribe the step. ``model`` None: no endpoint is configured."""

    @stage.on(EVIDENCE_CAPTURED, step=STEP)
    async def signal(cause: Cause[EvidenceCaptured], _: str) -> Results:
        event = cause.event
        _refuse_changed(event)
        if event.context.strategy.kind == "rules":
            return [signal_checked(stage, event, None)]
        prompt = _prompt(event)
        call = await _configured(model).ask(prompt, stage.clock, event.expires_at)
        return [signal_checked(stage, event, call)]


def signal_checked(stage: Stage, event: EvidenceCaptured, call: ModelCall | None) -> SignalChecked:
    """Return the event of a decision: on the model's answer, or on the rules' votes."""
    proposed = rules.vote(event.evidence) if call is None else read(call.answer)
    decided = decide(event, proposed, call)
    return SignalChecked(
        **stage.stamp(),
        **dict(decided),
        run_id=event.run_id,
        symbol=event.symbol,
        expires_at=event.expires_at,
        context=event.context,
        session_close=event.session_close,
        accounts=event.accounts,
        paper=event.paper,
        call=call,
        contract=event.evidence.contract,
        quote=event.evidence.quote,
        atr=event.evidence.indicators.atr_14,
        evidence_hash=event.evidence_hash,
    )


def _refuse_changed(event: EvidenceCaptured) -> None:
    found = sha256_of(event.evidence)
    if found != event.evidence_hash:
        reason = f"expected evidence of hash {event.evidence_hash}, found {found}"
        raise StepFailedError("evidence_changed", reason)


def _prompt(event: EvidenceCaptured) -> Prompt:
    try:
        return render(event.evidence, event.context.strategy)
    except UnknownPromptError as e:
        raise StepFailedError("unknown_prompt", str(e)) from e


def _configured(model: Model | None) -> Model:
    if model is None:
        reason = "no model is configured: set OPENBELL_LLM__BASE_URL and OPENBELL_LLM__MODEL"
        raise StepFailedError("llm_not_configured", reason)
    return model

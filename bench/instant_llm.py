"""An OpenAI-compatible endpoint that answers at once, always the same HOLD.

It takes the model out of a measurement, and nothing else: it is asked over HTTP like any other.
``python -m bench.instant_llm --port P``
"""

import argparse
import json

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

PROPOSAL = json.dumps(
    {
        "action": "HOLD",
        "confidence": 0.5,
        "stop_loss": None,
        "take_profit": None,
        "reasons": ["This endpoint always holds."],
    }
)


async def complete(request: Request) -> JSONResponse:
    """Answer a chat completion. Tokens are counted as words."""
    asked = await request.json()
    prompt_tokens = sum(len(m["content"].split()) for m in asked["messages"])
    completion_tokens = len(PROPOSAL.split())
    return JSONResponse(
        {
            "id": "chatcmpl-instant",
            "object": "chat.completion",
            "created": 0,
            "model": asked["model"],
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": PROPOSAL},
                    "finish_reason": "stop",
                }
            ],
            "usage": {
                "prompt_tokens": prompt_tokens,
                "completion_tokens": completion_tokens,
                "total_tokens": prompt_tokens + completion_tokens,
            },
        }
    )


async def health(_: Request) -> JSONResponse:
    """Answer 200 once the server listens."""
    return JSONResponse({"status": "ok"})


app = Starlette(
    routes=[
        Route("/v1/chat/completions", complete, methods=["POST"]),
        Route("/health", health),
    ]
)


def main() -> None:
    """Serve on loopback until stopped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    uvicorn.run(app, host="127.0.0.1", port=parser.parse_args().port, log_level="warning")


if __name__ == "__main__":
    main()

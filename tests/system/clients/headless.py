"""The Python samples of the headless API's pages, their loops as they stand there; only the address, the key
and the request come from outside.
    headless.py chat|stream URL KEY SESSION MESSAGE"""

import json
import sys

import requests

mode, url, key, session, message = sys.argv[1:]


def chat():
    response = requests.post(
        url + "/v1/chat",
        headers={
            "Content-Type": "application/json",
            "x-api-key": key,
        },
        json={
            "sessionId": session,
            "message": message,
        },
    )

    data = response.json()
    print(data["message"])


def stream():
    response = requests.post(
        url + "/v1/chat/stream",
        headers={
            "Content-Type": "application/json",
            "x-api-key": key,
        },
        json={
            "sessionId": session,
            "message": message,
        },
        stream=True,
    )

    for line in response.iter_lines():
        if line:
            event = json.loads(line)

            if event["type"] == "start":
                print(f"Stream started: {event['conversationId']}")
            elif event["type"] == "token":
                print(event["token"], end="", flush=True)
            elif event["type"] == "done":
                print(f"\nComplete message: {event['message']}")
            elif event["type"] == "error":
                print(f"Error: {event['error']}")


chat() if mode == "chat" else stream()

"""Makes the worker's user in MLflow, or gives it its password of now; run as the admin, whom the environment names."""

import os

from mlflow.exceptions import RestException
from mlflow.server import get_app_client

NAME, PASSWORD = os.environ["WORKER_USERNAME"], os.environ["WORKER_PASSWORD"]


def main() -> None:
    users = get_app_client("basic-auth", os.environ["MLFLOW_TRACKING_URI"])
    try:
        users.create_user(NAME, PASSWORD)
    except RestException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
        users.update_user_password(NAME, PASSWORD)
    print(f"user {NAME} of MLflow is there")


if __name__ == "__main__":
    main()

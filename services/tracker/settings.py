"""Settings of the tracker: where MLflow is."""

from pydantic import BaseModel, Field

from shared.settings import Settings


class MlflowSettings(BaseModel):
    """``tracking_uri`` is whatever MLflow's own client takes."""

    tracking_uri: str = Field(default="http://127.0.0.1:5500", min_length=1)


class TrackerSettings(Settings):
    """What the tracker reads from the environment."""

    mlflow: MlflowSettings = MlflowSettings()

"""How Dagster checks the settings of an instance, and makes a Kubernetes job of a run: names it does not promise."""

from dagster._config import process_config
from dagster._core.code_pointer import ModuleCodePointer
from dagster._core.instance.config import dagster_instance_config
from dagster._core.origin import DEFAULT_DAGSTER_ENTRY_POINT, JobPythonOrigin, RepositoryPythonOrigin
from dagster._serdes import ConfigurableClassData

__all__ = [
    "DEFAULT_DAGSTER_ENTRY_POINT",
    "ConfigurableClassData",
    "JobPythonOrigin",
    "ModuleCodePointer",
    "RepositoryPythonOrigin",
    "dagster_instance_config",
    "process_config",
]

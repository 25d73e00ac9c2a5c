"""Detective: one graph in each Region, its sources, invitations."""

from typing import Any

from emulator.missing import Forward, handles
from emulator.shelf import Collection, now, planted, tags
from emulator.shelf.pages import page
from emulator.wire import Call

UNKNOWN = ("ResourceNotFoundException", "The graph {id} does not exist.")

GRAPHS = (
    Collection(
        "detective",
        "graph",
        key="graph",
        new_id=lambda call: call.account.zfill(32),
        arn=("GraphArn", "arn:{partition}:detective:{region}:{account}:graph:{id}"),
        one=True,
        made={"packages": ["DETECTIVE_CORE"]},
        shown=lambda _, row: {"Arn": row["GraphArn"]},
        created="CreatedTime",
        absent=UNKNOWN,
    )
    .create("CreateGraph")
    .list("ListGraphs", "GraphList")
    .delete("DeleteGraph", by="GraphArn")
)
tags("detective", "TagResource", "UntagResource", "ListTagsForResource", of=[GRAPHS], kept="Tags")


@handles("detective", "UpdateDatasourcePackages")
def add_packages(call: Call, _: Forward) -> dict[str, Any]:
    """Adds sources; none can be taken away."""
    row = GRAPHS.find(call, call.params["GraphArn"])
    row.now["packages"] = sorted({*row.now["packages"], *call.params["DatasourcePackages"]})
    return {}


@handles("detective", "ListDatasourcePackages")
def packages(call: Call, _: Forward) -> dict[str, Any]:
    row = GRAPHS.find(call, call.params["GraphArn"]).now
    started = {"DatasourcePackageIngestState": "STARTED"}
    changed = {"LastIngestStateChange": {"STARTED": {"Timestamp": row["CreatedTime"]}}}
    return {"DatasourcePackages": {name: started | changed for name in row["packages"]}}


@handles("detective", "ListInvitations")
def invitations(call: Call, _: Forward) -> dict[str, Any]:
    """Those that were planted."""
    usual = {"InvitedTime": now(), "UpdatedTime": now(), "Status": "INVITED", "AccountId": call.account}
    shown, token = page(call, [usual | one for one in planted(call, "invitations")])
    return {"Invitations": shown} | token

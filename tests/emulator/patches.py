"""Changes to moto itself, where a handler of a single operation would come too late. Kept in this one file."""

import functools
import inspect
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.abc import MetaPathFinder
from importlib.machinery import PathFinder
from ipaddress import ip_network
from typing import Any

from moto.kms.utils import generate_private_key as _generate_private_key

from emulator import loading, quick

# Protocols of network ACLs, which EC2 takes by name too.
PROTOCOLS = {"tcp": "6", "udp": "17", "icmp": "1", "icmpv6": "58", "all": "-1"}


def apply() -> None:
    """Applies all of them; called once, before the server starts. Those of EC2 wait until somebody loads it."""
    loading.apply()
    quick.apply()
    sys.meta_path.insert(0, _Later("moto.ec2.models.instance_types", loading.offer_instance_types))
    sys.meta_path.insert(0, _Later("moto.ec2.models", _ec2))
    sys.meta_path.insert(0, _Later("moto.ec2.models.security_groups", _prefix_list_rules_keep_their_description))
    sys.meta_path.insert(0, _Later("moto.ec2.models.amis", _images_begin_with_a_volume))
    sys.meta_path.insert(0, _Later("moto.s3control.models", _aliases_have_the_length_of_those_of_aws))
    sys.meta_path.insert(0, _Later("moto.sqs.models", _queues_know_whole_seconds))
    sys.meta_path.insert(0, _Later("moto.ssm.models", _documents_are_for_all_platforms))
    _alarms_take_all_statistics()
    _conditional_denials_do_not_deny()
    _keys_behind_aws_aliases_are_managed_by_aws()
    _grants_have_long_ids()
    _names_of_iam_are_found_without_case()
    _ids_of_iam_begin_with_what_they_are_of()
    _method_names_are_looked_up_once()
    _api_gateway_loads_without_its_validator()
    _private_keys_are_made_when_somebody_uses_them()
    _no_images_of_amazon()
    _linked_roles_have_their_own_names()
    _ids_of_iam_say_of_what()
    _organizations_take_all_policies_and_services()
    _members_ask_about_their_organization()


class _Later(MetaPathFinder):
    """Changes a module as soon as it is loaded: EC2's models alone take a second, which the start need not wait for."""

    def __init__(self, module: str, change: Callable[[], None]) -> None:
        self._module, self._change = module, change

    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
        if name != self._module:
            return None
        spec = PathFinder.find_spec(name, path, target)
        load = spec.loader.exec_module

        def load_and_change(module: Any) -> None:
            load(module)
            self._change()

        spec.loader.exec_module = load_and_change
        return spec


def _ec2() -> None:
    _default_groups_allow_themselves()
    _default_subnets_are_those_of_the_default_vpc()
    _networks_are_stored_in_their_canonical_form()
    _network_acls_are_found_by_id()
    _volumes_are_encrypted_where_that_is_the_default()


def _network_acls_are_found_by_id() -> None:
    """moto does not know the filter `network-acl-id`."""
    from moto.ec2.models.network_acls import NetworkAcl

    value = NetworkAcl.get_filter_value

    def get_filter_value(self: Any, filter_name: str, method_name: str | None = None) -> Any:
        return self.id if filter_name == "network-acl-id" else value(self, filter_name, method_name)

    NetworkAcl.get_filter_value = get_filter_value


def _volumes_are_encrypted_where_that_is_the_default() -> None:
    """With the key of the account and Region, unless the call names one; moto does what it is told alone."""
    from moto.ec2.models import EC2Backend

    create = EC2Backend.create_volume

    def create_volume(self: Any, *args: Any, **named: Any) -> Any:
        from emulator.missing.ec2 import key_of_volumes

        volume = create(self, *args, **named)
        if self.get_ebs_encryption_by_default() and not volume.encrypted:
            volume.encrypted, volume.kms_key_id = True, key_of_volumes(self.account_id, self.region_name)
        return volume

    EC2Backend.create_volume = create_volume


def _networks_are_stored_in_their_canonical_form() -> None:
    """100.68.0.18/18 is stored as 100.68.0.0/18, and protocols of ACLs by number; moto keeps what it is sent.

    What is no network is left to moto's checks.
    """
    from moto.ec2.models import EC2Backend

    def canonical(text: Any) -> Any:
        try:
            return str(ip_network(text, strict=False)) if isinstance(text, str) and "/" in text else text
        except ValueError:
            return text

    def changed(method: Callable[..., Any]) -> Callable[..., Any]:
        signature = inspect.signature(method)
        names = [name for name in signature.parameters if "cidr" in name]

        @functools.wraps(method)
        def call(*args: Any, **named: Any) -> Any:
            bound = signature.bind(*args, **named)
            for name in names:
                if name in bound.arguments:
                    bound.arguments[name] = canonical(bound.arguments[name])
            if "protocol" in bound.arguments:
                spelt = str(bound.arguments["protocol"])
                bound.arguments["protocol"] = PROTOCOLS.get(spelt.lower(), spelt)
            return method(*bound.args, **bound.kwargs)

        return call

    for name in (
        "create_vpc",
        "create_subnet",
        "create_route",
        "replace_route",
        "delete_route",
        "create_network_acl_entry",
        "replace_network_acl_entry",
    ):
        setattr(EC2Backend, name, changed(getattr(EC2Backend, name)))


def _default_groups_allow_themselves() -> None:
    """A VPC's default security group starts with a rule that lets in everything from itself; moto leaves it out."""
    from moto.ec2.models import EC2Backend

    create = EC2Backend.create_security_group

    def create_with_rule(self: Any, *args: Any, **named: Any) -> Any:
        group = create(self, *args, **named)
        if named.get("is_default"):
            self.authorize_security_group_ingress(
                group.id, "-1", None, None, [], source_groups=[{"GroupId": group.id}], vpc_id=group.vpc_id
            )
        return group

    EC2Backend.create_security_group = create_with_rule


def _images_begin_with_a_volume() -> None:
    """moto calls the type of their root device `standard`, which is one of a volume."""
    from moto.ec2.models.amis import Ami

    init = Ami.__init__

    def init_with_volume(self: Any, *args: Any, **named: Any) -> None:
        init(self, *args, **named)
        if self.root_device_type == "standard":
            self.root_device_type = "ebs"

    Ami.__init__ = init_with_volume


def _aliases_have_the_length_of_those_of_aws() -> None:
    """63 characters, of which the last ones say that it is an alias of an access point."""
    from moto.s3control.models import AccessPoint

    init, end = AccessPoint.__init__, "-s3alias"

    def init_with_alias(self: Any, *args: Any, **named: Any) -> None:
        init(self, *args, **named)
        digits = self.alias.removesuffix(end).rpartition("-")[2]
        self.alias = f"{self.name[:20]}-{digits}".ljust(63 - len(end), "0") + end

    AccessPoint.__init__ = init_with_alias


def _queues_know_whole_seconds() -> None:
    """When a queue was made and changed, which moto tells with microseconds."""
    from moto.sqs.models import Queue

    for name in ("created_timestamp", "last_modified_timestamp"):
        setattr(Queue, name, _whole(f"_{name}"))


def _whole(name: str) -> property:
    return property(lambda self: getattr(self, name), lambda self, value: setattr(self, name, int(value)))


def _documents_are_for_all_platforms() -> None:
    """moto names none; which of a document's steps are for which platform is left."""
    from moto.ssm.models import Document

    init = Document.__init__

    def init_for_all(self: Any, *args: Any, **named: Any) -> None:
        init(self, *args, **named)
        self.platform_types = ["Windows", "Linux", "MacOS"]

    Document.__init__ = init_for_all


def _default_subnets_are_those_of_the_default_vpc() -> None:
    """moto takes the first subnet of a zone for its default one, in whatever VPC."""
    from moto.ec2.models import EC2Backend

    create, create_default = EC2Backend.create_subnet, EC2Backend.create_default_subnet

    @functools.wraps(create)
    def create_subnet(self: Any, *args: Any, **named: Any) -> Any:
        subnet = create(self, *args, **named)
        subnet.default_for_az = subnet.map_public_ip_on_launch = False
        return subnet

    def create_default_subnet(self: Any, availability_zone: str) -> Any:
        subnet = create_default(self, availability_zone)
        subnet.default_for_az = subnet.map_public_ip_on_launch = True
        return subnet

    EC2Backend.create_subnet, EC2Backend.create_default_subnet = create_subnet, create_default_subnet


def _prefix_list_rules_keep_their_description() -> None:
    """moto drops the description of a rule whose source is a prefix list."""
    from moto.ec2.models.security_groups import SecurityGroupRule

    init = SecurityGroupRule.__init__
    signature = inspect.signature(init)

    def init_with_description(self: Any, *args: Any, **named: Any) -> None:
        source = signature.bind(self, *args, **named).arguments.get("prefix_list_id")
        self.prefix_list_description = (source or {}).get("Description")
        init(self, *args, **named)

    SecurityGroupRule.__init__ = init_with_description


def _alarms_take_all_statistics() -> None:
    """moto knows percentiles alone of the extended statistics; `missing/alarm_refusals.py` knows them all."""
    from moto.cloudwatch.models import CloudWatchBackend

    put = CloudWatchBackend.put_metric_alarm

    def put_metric_alarm(self: Any, *, extended_statistic: str | None = None, **named: Any) -> Any:
        alarm = put(self, extended_statistic=None, **named)
        alarm.extended_statistic = extended_statistic
        return alarm

    CloudWatchBackend.put_metric_alarm = put_metric_alarm


def _conditional_denials_do_not_deny() -> None:
    """moto enforces Deny statements of bucket and key policies without looking at their conditions.

    The rule that every log bucket should have, deny what is not TLS, would shut the bucket for everybody.
    """
    import moto.kms.responses
    from moto.iam.access_control import PermissionResult
    from moto.s3.models import FakeBucket

    FakeBucket.get_permission = lambda *_: PermissionResult.NEUTRAL
    moto.kms.responses.validate_policy = lambda *_: None


def _keys_behind_aws_aliases_are_managed_by_aws() -> None:
    """A key that moto makes for `alias/aws/...` is not the customer's."""
    from moto.kms.models import KmsBackend

    create = KmsBackend.create_alias

    def create_alias(self: Any, target_key_id: str, alias_name: str) -> Any:
        if alias_name.startswith("alias/aws/"):
            self.keys[self.get_key_id(target_key_id)].key_manager = "AWS"
        return create(self, target_key_id, alias_name)

    KmsBackend.create_alias = create_alias


def _grants_have_long_ids() -> None:
    """64 digits, and a token that cannot be guessed; moto has eight for both."""
    from moto.kms.models import Grant
    from moto.moto_api._internal import mock_random

    init = Grant.__init__

    def init_with_long_id(self: Any, *args: Any, **named: Any) -> None:
        init(self, *args, **named)
        self.id, self.token = mock_random.get_random_hex(64), mock_random.get_random_hex(184)
        self.created = datetime.now(UTC).replace(microsecond=0)

    Grant.__init__ = init_with_long_id


def _method_names_are_looked_up_once() -> None:
    """moto inspects the whole response class for every request, which for EC2 takes most of the time."""
    import moto.core.responses as responses

    responses.method_names_from_class = functools.cache(responses.method_names_from_class)


class Caseless(dict):  # type: ignore[type-arg]
    """By name, in the spelling of the first, whatever the case of who asks."""

    def _known(self, name: Any) -> Any:
        if dict.__contains__(self, name):
            return name
        return next((one for one in self if one.lower() == str(name).lower()), name)

    def __contains__(self, name: object) -> bool:
        return dict.__contains__(self, self._known(name))

    def __getitem__(self, name: Any) -> Any:
        return dict.__getitem__(self, self._known(name))

    def __delitem__(self, name: Any) -> None:
        dict.__delitem__(self, self._known(name))

    def get(self, name: Any, default: Any = None) -> Any:
        return dict.get(self, self._known(name), default)

    def pop(self, name: Any, *default: Any) -> Any:
        return dict.pop(self, self._known(name), *default)


def _names_of_iam_are_found_without_case() -> None:
    """IAM's names are unique and found without regard to case; those of moto are not."""
    from moto.iam.models import IAMBackend

    init, find, find_profile = IAMBackend.__init__, IAMBackend.get_role, IAMBackend.get_instance_profile

    def init_without_case(self: Any, *args: Any, **named: Any) -> None:
        init(self, *args, **named)
        self.users, self.groups, self.instance_profiles = Caseless(), Caseless(), Caseless()

    def get_role(self: Any, role_name: str) -> Any:
        for role in self.get_roles():
            if role.name.lower() == role_name.lower():
                return role
        return find(self, role_name)

    def get_instance_profile(self: Any, profile_name: str) -> Any:
        return self.instance_profiles.get(profile_name) or find_profile(self, profile_name)

    IAMBackend.__init__, IAMBackend.get_role = init_without_case, get_role
    IAMBackend.get_instance_profile = get_instance_profile


def _ids_of_iam_begin_with_what_they_are_of() -> None:
    """Such as AIDA for a user: the form in which policies have them when their owner was deleted."""
    from moto.iam import models
    from moto.iam.utils import generate_access_key_id_from_account_id as of_account

    for name, prefix in (
        ("Certificate", "ASCA"),
        ("Group", "AGPA"),
        ("InstanceProfile", "AIPA"),
        ("ManagedPolicy", "ANPA"),
        ("User", "AIDA"),
    ):
        made = getattr(models, name)
        made.__init__ = _with_id(made.__init__, prefix, of_account)


def _with_id(init: Callable[..., None], prefix: str, of_account: Callable[..., str]) -> Callable[..., None]:
    def init_with_id(self: Any, *args: Any, **named: Any) -> None:
        init(self, *args, **named)
        self.id = of_account(self.account_id, prefix, 21)

    return init_with_id


def _organizations_take_all_policies_and_services() -> None:
    """moto knows 5 of 15 types of policies and a third of the services; the policies of AWS have ARNs without account."""
    from moto.organizations.models import FakeDelegatedAdministrator, FakePolicy, FakeRoot, FakeServiceAccess
    from moto.utilities.utils import get_partition

    from emulator.organization.structure import is_principal, policy_types

    class Every(list):  # type: ignore[type-arg]
        """What an enumeration of moto's is asked: is it in there?"""

        def __contains__(self, name: object) -> bool:
            return name in policy_types()

    init = FakePolicy.__init__

    def init_of_any_type(self: Any, organization: Any, **named: Any) -> None:
        init(self, organization, **named | {"Type": "TAG_POLICY"})
        self.type = named["Type"]

    def arn(self: Any) -> str:
        kind, start = self.type.lower(), f"arn:{get_partition(self.region)}:organizations::"
        if self.aws_managed:
            return f"{start}aws:policy/{kind}/{self.id}"
        return f"{start}{self.master_account_id}:policy/{self.organization_id}/{kind}/{self.id}"

    FakePolicy.__init__, FakePolicy.arn = init_of_any_type, property(arn)
    FakePolicy.SUPPORTED_POLICY_TYPES = FakeRoot.SUPPORTED_POLICY_TYPES = Every()
    FakeServiceAccess.trusted_service = staticmethod(is_principal)
    FakeDelegatedAdministrator.supported_service = staticmethod(is_principal)


def _members_ask_about_their_organization() -> None:
    """moto looks for an organization in the caller's account alone, also when the caller is a member of another's."""
    from moto.organizations.models import organizations_backends
    from moto.organizations.responses import OrganizationsResponse

    from emulator.organization.structure import home_of

    def backend(self: Any) -> Any:
        own = organizations_backends[self.current_account][self.partition]
        return home_of(self.current_account, self.partition) or own

    OrganizationsResponse.organizations_backend = property(backend)


def _linked_roles_have_their_own_names() -> None:
    """moto makes the name of a service-linked role from the service's host; AWS's names follow no rule."""
    from moto.iam.models import IAMBackend

    from emulator.identity import linked_role

    make = IAMBackend.create_role

    def create_role(self: Any, role_name: str, *args: Any, **named: Any) -> Any:
        return make(self, linked_role(named.get("linked_service") or "") or role_name, *args, **named)

    IAMBackend.create_role = create_role


def _ids_of_iam_say_of_what() -> None:
    """moto makes ids of small letters; AWS's begin with what they are of, which those of roles do here, too."""
    from moto.iam import models

    def beginning(kind: Any, start: str, name: str = "id") -> None:
        make = kind.__init__

        def init(self: Any, *args: Any, **named: Any) -> None:
            make(self, *args, **named)
            setattr(self, name, start + getattr(self, name)[-17:].upper())

        kind.__init__ = init

    beginning(models.User, "AIDA")
    beginning(models.Group, "AGPA")
    beginning(models.InstanceProfile, "AIPA")
    beginning(models.Policy, "ANPA")


def _api_gateway_loads_without_its_validator() -> None:
    """moto's API Gateway wants a package that checks OpenAPI documents, for imports that nobody makes here."""
    from types import ModuleType

    def validate(*_: Any) -> None:
        raise NotImplementedError("OpenAPI documents")

    stub = ModuleType("openapi_spec_validator")
    stub.validate = stub.validate_spec = validate
    stub.OpenAPIValidationError = ValueError
    for part in ("", ".validation", ".validation.exceptions"):
        sys.modules.setdefault(f"openapi_spec_validator{part}", stub)


def _private_keys_are_made_when_somebody_uses_them() -> None:
    """moto makes an RSA key for every KMS key, symmetric ones too: two thirds of the time of an untidy account."""
    import moto.kms.models

    moto.kms.models.generate_private_key = LaterKey


class LaterKey:
    """A private key that is made at the first look at it."""

    def __init__(self, key_spec: str) -> None:
        self._key_spec = key_spec

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if "_made" not in self.__dict__:
            self._made = _generate_private_key(self._key_spec)
        return getattr(self._made, name)


def _no_images_of_amazon() -> None:
    """moto reads hundreds of Amazon's images into each Region of each account; no kind looks at them."""
    os.environ.setdefault("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")

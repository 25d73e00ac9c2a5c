"""Changes to moto itself, where a handler of a single operation would come too late. Kept in this one file."""

import functools
import inspect
import os
from typing import Any


def apply() -> None:
    """Applies all of them; called once, before the server starts."""
    _default_groups_allow_themselves()
    _prefix_list_rules_keep_their_description()
    _conditional_denials_do_not_deny()
    _keys_behind_aws_aliases_are_managed_by_aws()
    _roles_are_found_without_case()
    _method_names_are_looked_up_once()
    _private_keys_are_made_when_somebody_uses_them()
    _no_images_of_amazon()


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


def _method_names_are_looked_up_once() -> None:
    """moto inspects the whole response class for every request, which for EC2 takes most of the time."""
    import moto.core.responses as responses

    responses.method_names_from_class = functools.cache(responses.method_names_from_class)


def _roles_are_found_without_case() -> None:
    """IAM's names are unique and found without regard to case; moto's role names are not."""
    from moto.iam.models import IAMBackend

    find = IAMBackend.get_role

    def get_role(self: Any, role_name: str) -> Any:
        for role in self.get_roles():
            if role.name.lower() == role_name.lower():
                return role
        return find(self, role_name)

    IAMBackend.get_role = get_role


def _private_keys_are_made_when_somebody_uses_them() -> None:
    """moto makes an RSA key for every KMS key, symmetric ones too: two thirds of the time of an untidy account."""
    import moto.kms.models

    make = moto.kms.models.generate_private_key

    class Later:
        def __init__(self, key_spec: str) -> None:
            self._key_spec = key_spec

        def __getattr__(self, name: str) -> Any:
            self._made = self.__dict__.get("_made") or make(self._key_spec)
            return getattr(self._made, name)

    moto.kms.models.generate_private_key = Later


def _no_images_of_amazon() -> None:
    """moto reads hundreds of Amazon's images into each Region of each account; no kind looks at them."""
    os.environ.setdefault("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")

//! The known ways of making oneself an administrator, as data.
//!
//! Sources: Rhino Security Labs, "AWS IAM Privilege Escalation – Methods and Mitigation"; Datadog,
//! pathfinding.cloud, whose ids the lines have; HackTricks Cloud, "AWS – Privilege Escalation", for
//! those without a number.

/// One way: who may do all of these on everything, or on himself, can take the rights of any role, or
/// any rights.
#[derive(Debug)]
pub struct Method {
    /// The services that run what they are given with the role that is passed to them; none where
    /// no role is passed. Every role that may be passed to one of them is the whole way: whatever
    /// creates the thing is often allowed by another policy.
    pub passed_to: &'static [&'static str],
    /// The actions.
    pub actions: &'static [&'static str],
}

/// A way by its id in the public list, which is for the reader of the table.
const fn act(_id: &'static str, actions: &'static [&'static str]) -> Method {
    Method { passed_to: &[], actions }
}

const fn pass(
    _id: &'static str,
    passed_to: &'static [&'static str],
    actions: &'static [&'static str],
) -> Method {
    Method { passed_to, actions }
}

/// The action that passes a role to a service.
pub const PASS_ROLE: &str = "iam:PassRole";

const EC2: &[&str] = &["ec2.amazonaws.com"];
const LAMBDA: &[&str] = &["lambda.amazonaws.com"];
const ECS: &[&str] = &["ecs-tasks.amazonaws.com"];
const BUILD: &[&str] = &["codebuild.amazonaws.com"];
const STACK: &[&str] = &["cloudformation.amazonaws.com"];
const GLUE: &[&str] = &["glue.amazonaws.com"];
const SAGEMAKER: &[&str] = &["sagemaker.amazonaws.com"];
const AGENTCORE: &[&str] = &["bedrock-agentcore.amazonaws.com"];

/// All of them.
#[rustfmt::skip]
pub const METHODS: &[Method] = &[
    act("iam-001", &["iam:CreatePolicyVersion"]),
    act("iam-002", &["iam:SetDefaultPolicyVersion"]),
    act("iam-003", &["iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion"]),
    act("iam-004", &["iam:CreateAccessKey"]),
    act("iam-005", &["iam:CreateLoginProfile"]),
    act("iam-006", &["iam:UpdateLoginProfile"]),
    act("iam-007", &["iam:AttachUserPolicy"]),
    act("iam-008", &["iam:AttachGroupPolicy"]),
    act("iam-009", &["iam:AttachRolePolicy"]),
    act("iam-010", &["iam:PutUserPolicy"]),
    act("iam-011", &["iam:PutGroupPolicy"]),
    act("iam-012", &["iam:PutRolePolicy"]),
    act("iam-013", &["iam:AddUserToGroup"]),
    act("iam-014", &["iam:UpdateAssumeRolePolicy"]),
    act("iam-015", &["iam:CreateUser", "iam:CreateAccessKey"]),
    act("iam-016", &["iam:CreateUser", "iam:AddUserToGroup"]),
    act("iam-017", &["iam:CreateUser", "iam:AttachUserPolicy"]),
    act("iam-018", &["iam:CreateUser", "iam:PutUserPolicy"]),
    act("iam-019", &["iam:AttachRolePolicy", "iam:UpdateAssumeRolePolicy"]),
    act("iam-020", &["iam:CreatePolicyVersion", "iam:UpdateAssumeRolePolicy"]),
    act("iam-021", &["iam:PutRolePolicy", "iam:UpdateAssumeRolePolicy"]),
    act("iam-boundary-role", &["iam:DeleteRolePermissionsBoundary"]),
    act("iam-boundary-user", &["iam:DeleteUserPermissionsBoundary"]),
    act("iam-boundary-role-put", &["iam:PutRolePermissionsBoundary"]),
    act("iam-boundary-user-put", &["iam:PutUserPermissionsBoundary"]),
    act("iam-saml", &["iam:UpdateSAMLProvider"]),
    act("iam-oidc", &["iam:AddClientIDToOpenIDConnectProvider"]),
    act("iam-oidc-thumbprint", &["iam:UpdateOpenIDConnectProviderThumbprint"]),
    act("sts-001", &["sts:AssumeRole"]),
    act("sts-root", &["sts:AssumeRoot"]),
    act("organizations-leave", &["organizations:LeaveOrganization"]),
    act("eks-access", &["eks:CreateAccessEntry", "eks:AssociateAccessPolicy"]),
    act("sso-inline", &["sso:PutInlinePolicyToPermissionSet"]),
    act("sso-managed", &["sso:AttachManagedPolicyToPermissionSet"]),
    act("sso-assignment", &["sso:CreateAccountAssignment"]),
    act("ssm-001", &["ssm:StartSession"]),
    act("ssm-002", &["ssm:SendCommand"]),
    act("ssm-association", &["ssm:CreateAssociation"]),
    pass("ssm-automation", &["ssm.amazonaws.com"], &[PASS_ROLE, "ssm:StartAutomationExecution"]),
    pass("ec2-001", EC2, &[PASS_ROLE, "ec2:RunInstances"]),
    act("ec2-002", &["ec2:ModifyInstanceAttribute", "ec2:StopInstances", "ec2:StartInstances"]),
    pass("ec2-003", EC2, &[PASS_ROLE, "ec2:RequestSpotInstances"]),
    act("ec2-004", &["ec2:CreateLaunchTemplateVersion", "ec2:ModifyLaunchTemplate"]),
    pass("ec2-profile", EC2, &[PASS_ROLE, "ec2:AssociateIamInstanceProfile"]),
    act("ec2instanceconnect-003", &["ec2-instance-connect:SendSSHPublicKey"]),
    pass("lambda-001", LAMBDA, &[PASS_ROLE, "lambda:CreateFunction", "lambda:InvokeFunction"]),
    pass("lambda-002", LAMBDA, &[PASS_ROLE, "lambda:CreateFunction", "lambda:CreateEventSourceMapping"]),
    act("lambda-003", &["lambda:UpdateFunctionCode"]),
    act("lambda-004", &["lambda:UpdateFunctionCode", "lambda:InvokeFunction"]),
    act("lambda-005", &["lambda:UpdateFunctionCode", "lambda:AddPermission"]),
    pass("lambda-006", LAMBDA, &[PASS_ROLE, "lambda:CreateFunction", "lambda:AddPermission"]),
    act("lambda-layer", &["lambda:UpdateFunctionConfiguration"]),
    pass("ecs-001", ECS, &[PASS_ROLE, "ecs:CreateCluster", "ecs:RegisterTaskDefinition", "ecs:CreateService"]),
    pass("ecs-002", ECS, &[PASS_ROLE, "ecs:CreateCluster", "ecs:RegisterTaskDefinition", "ecs:RunTask"]),
    pass("ecs-003", ECS, &[PASS_ROLE, "ecs:RegisterTaskDefinition", "ecs:CreateService"]),
    pass("ecs-004", ECS, &[PASS_ROLE, "ecs:RegisterTaskDefinition", "ecs:RunTask"]),
    pass("ecs-005", ECS, &[PASS_ROLE, "ecs:RegisterTaskDefinition", "ecs:StartTask"]),
    act("ecs-exec", &["ecs:ExecuteCommand"]),
    pass("batch", ECS, &[PASS_ROLE, "batch:RegisterJobDefinition", "batch:SubmitJob"]),
    pass("apprunner-001", &["tasks.apprunner.amazonaws.com"], &[PASS_ROLE, "apprunner:CreateService"]),
    act("apprunner-002", &["apprunner:UpdateService"]),
    pass("bedrock-001", AGENTCORE, &[PASS_ROLE, "bedrock-agentcore:CreateCodeInterpreter",
        "bedrock-agentcore:StartCodeInterpreterSession", "bedrock-agentcore:InvokeCodeInterpreter"]),
    act("bedrock-002", &["bedrock-agentcore:StartCodeInterpreterSession", "bedrock-agentcore:InvokeCodeInterpreter"]),
    pass("cloudformation-001", STACK, &[PASS_ROLE, "cloudformation:CreateStack"]),
    act("cloudformation-002", &["cloudformation:UpdateStack"]),
    pass("cloudformation-003", STACK, &[PASS_ROLE, "cloudformation:CreateStackSet", "cloudformation:CreateStackInstances"]),
    pass("cloudformation-004", STACK, &[PASS_ROLE, "cloudformation:UpdateStackSet"]),
    act("cloudformation-005", &["cloudformation:CreateChangeSet", "cloudformation:ExecuteChangeSet"]),
    pass("codebuild-001", BUILD, &[PASS_ROLE, "codebuild:CreateProject", "codebuild:StartBuild"]),
    act("codebuild-002", &["codebuild:StartBuild"]),
    act("codebuild-003", &["codebuild:StartBuildBatch"]),
    pass("codebuild-004", BUILD, &[PASS_ROLE, "codebuild:CreateProject", "codebuild:StartBuildBatch"]),
    pass("codestar", &["codestar.amazonaws.com"], &[PASS_ROLE, "codestar:CreateProject"]),
    act("codestar-member", &["codestar:CreateProjectFromTemplate", "codestar:AssociateTeamMember"]),
    pass("datapipeline-001", &["datapipeline.amazonaws.com"], &[PASS_ROLE, "datapipeline:CreatePipeline",
        "datapipeline:PutPipelineDefinition", "datapipeline:ActivatePipeline"]),
    pass("emr", &["elasticmapreduce.amazonaws.com"], &[PASS_ROLE, "elasticmapreduce:RunJobFlow"]),
    pass("emrserverless", &["emr-serverless.amazonaws.com"], &[PASS_ROLE, "emr-serverless:StartJobRun"]),
    pass("gamelift", &["gamelift.amazonaws.com"], &[PASS_ROLE, "gamelift:CreateFleet"]),
    pass("glue-001", GLUE, &[PASS_ROLE, "glue:CreateDevEndpoint"]),
    act("glue-002", &["glue:UpdateDevEndpoint"]),
    pass("glue-job", GLUE, &[PASS_ROLE, "glue:CreateJob", "glue:StartJobRun"]),
    pass("glue-trigger", GLUE, &[PASS_ROLE, "glue:CreateJob", "glue:CreateTrigger"]),
    pass("glue-update", GLUE, &[PASS_ROLE, "glue:UpdateJob", "glue:StartJobRun"]),
    pass("airflow", &["airflow.amazonaws.com", "airflow-env.amazonaws.com"], &[PASS_ROLE, "airflow:CreateEnvironment"]),
    pass("sagemaker-001", SAGEMAKER, &[PASS_ROLE, "sagemaker:CreateNotebookInstance"]),
    pass("sagemaker-002", SAGEMAKER, &[PASS_ROLE, "sagemaker:CreateTrainingJob"]),
    pass("sagemaker-003", SAGEMAKER, &[PASS_ROLE, "sagemaker:CreateProcessingJob"]),
    act("sagemaker-004", &["sagemaker:CreatePresignedNotebookInstanceUrl"]),
    act("sagemaker-005", &["sagemaker:CreateNotebookInstanceLifecycleConfig", "sagemaker:StopNotebookInstance",
        "sagemaker:UpdateNotebookInstance", "sagemaker:StartNotebookInstance"]),
    act("sagemaker-domain", &["sagemaker:CreatePresignedDomainUrl"]),
    pass("states", &["states.amazonaws.com"], &[PASS_ROLE, "states:CreateStateMachine", "states:StartExecution"]),
    pass("scheduler", &["scheduler.amazonaws.com"], &[PASS_ROLE, "scheduler:CreateSchedule"]),
];

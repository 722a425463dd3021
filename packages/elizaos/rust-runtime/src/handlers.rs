//! Actions, providers, evaluators and services of a plugin, as ElizaOS asks them.

use std::any::Any;
use std::sync::Arc;

use anyplug_contracts::agent::{
    ActionDescription, Content, EvaluatorDescription, InvokeArguments, Memory, ProviderDescription, Registration,
};
use anyplug_core::{CallOptions, Result};
use async_trait::async_trait;
use elizaos::types::components::{
    ActionDefinition, ActionHandler, ActionResult, EvaluatorDefinition, EvaluatorHandler, HandlerOptions,
    ProviderDefinition, ProviderHandler, ProviderResult,
};

use crate::bridge::OnContent;
use crate::values::{map, memory_of, options_of, parameters, state_of, their_result};

/// A plugin and how it is asked.
#[derive(Clone)]
pub(crate) struct Asked {
    pub(crate) plugin: Arc<Registration>,
    pub(crate) options: CallOptions,
    pub(crate) on_content: OnContent,
}

pub(crate) struct Action(pub(crate) Asked, pub(crate) ActionDescription);
pub(crate) struct Provider(pub(crate) Asked, pub(crate) ProviderDescription);
pub(crate) struct Evaluator(pub(crate) Asked, pub(crate) EvaluatorDescription);
pub(crate) struct Service(pub(crate) Asked, pub(crate) String);

impl Asked {
    fn arguments(
        &self,
        message: &elizaos::Memory,
        state: Option<&elizaos::State>,
        options: Option<&HandlerOptions>,
    ) -> Result<InvokeArguments> {
        let (message, state, options) = (memory_of(message)?, state_of(state), Some(options_of(options)));
        Ok(InvokeArguments { message, state, options, responses: Vec::<Memory>::new() })
    }

    fn say(&self, name: &str) -> impl FnMut(Content) + Send + use<> {
        let (on_content, name) = (self.on_content.clone(), name.to_owned());
        move |content| on_content(content, &name)
    }
}

fn some(list: &[String]) -> Option<Vec<String>> {
    (!list.is_empty()).then(|| list.to_vec())
}

#[async_trait]
impl ActionHandler for Action {
    fn definition(&self) -> ActionDefinition {
        let own = &self.1;
        ActionDefinition {
            name: own.name.clone(),
            description: own.description.clone(),
            similes: some(&own.similes),
            priority: Some(own.priority),
            tags: some(&own.tags),
            parameters: parameters(&own.parameters_json),
            examples: None,
        }
    }

    async fn validate(&self, message: &elizaos::Memory, state: Option<&elizaos::State>) -> bool {
        let Ok(message) = memory_of(message) else { return false };
        let state = state_of(state);
        let asked = self.0.plugin.validate_action(&self.1.name, &message, &state, self.0.options.clone());
        asked.await.unwrap_or(false)
    }

    async fn handle(
        &self,
        message: &elizaos::Memory,
        state: Option<&elizaos::State>,
        options: Option<&HandlerOptions>,
    ) -> anyhow::Result<Option<ActionResult>> {
        let Self(asked, own) = self;
        let arguments = asked.arguments(message, state, options)?;
        let said = asked.say(&own.name);
        Ok(Some(their_result(asked.plugin.invoke_action(&own.name, arguments, said, asked.options.clone()).await?)))
    }
}

#[async_trait]
impl EvaluatorHandler for Evaluator {
    fn definition(&self) -> EvaluatorDefinition {
        let own = &self.1;
        EvaluatorDefinition {
            name: own.name.clone(),
            description: own.description.clone(),
            always_run: Some(own.always_run),
            similes: some(&own.similes),
            ..EvaluatorDefinition::default()
        }
    }

    async fn validate(&self, message: &elizaos::Memory, state: Option<&elizaos::State>) -> bool {
        let Ok(message) = memory_of(message) else { return false };
        let state = state_of(state);
        let asked = self.0.plugin.validate_evaluator(&self.1.name, &message, &state, self.0.options.clone());
        asked.await.unwrap_or(false)
    }

    async fn handle(
        &self,
        message: &elizaos::Memory,
        state: Option<&elizaos::State>,
        options: Option<&HandlerOptions>,
    ) -> anyhow::Result<Option<ActionResult>> {
        let Self(asked, own) = self;
        let arguments = asked.arguments(message, state, options)?;
        let said = asked.say(&own.name);
        Ok(Some(their_result(asked.plugin.invoke_evaluator(&own.name, arguments, said, asked.options.clone()).await?)))
    }
}

#[async_trait]
impl ProviderHandler for Provider {
    fn definition(&self) -> ProviderDefinition {
        let own = &self.1;
        ProviderDefinition {
            name: own.name.clone(),
            description: Some(own.description.clone()),
            dynamic: Some(own.dynamic),
            position: Some(own.position),
            private: Some(own.private),
        }
    }

    async fn get(&self, message: &elizaos::Memory, state: &elizaos::State) -> anyhow::Result<ProviderResult> {
        let Self(asked, own) = self;
        let answer = asked
            .plugin
            .get_provider(&own.name, &memory_of(message)?, &state_of(Some(state)), asked.options.clone())
            .await?;
        Ok(ProviderResult { text: answer.text, values: map(answer.values), data: map(answer.data) })
    }
}

#[async_trait]
impl elizaos::runtime::Service for Service {
    fn service_type(&self) -> &str {
        &self.1
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    async fn stop(&self) -> anyhow::Result<()> {
        Ok(self.0.plugin.stop_service(&self.1, self.0.options.clone()).await?)
    }
}

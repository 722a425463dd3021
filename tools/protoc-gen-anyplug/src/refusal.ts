/** A schema or an option that nothing can be generated for. Its message is for the schema's author: where, what, and what to do. */
export class Refusal extends Error {
  override readonly name = "Refusal";
}

namespace Granary.Gateway;

/// <summary>Whether producing to a topic that does not exist creates it (auto.create.topics.enable), by whatever way in.</summary>
internal sealed record TopicAutoCreation(bool IsOn);

namespace Granary.Abstractions.Topics;

/// <summary>Kafka's numbers for the type of a config (DescribeConfigs v3+).</summary>
public enum ConfigType : sbyte
{
    Unknown = 0,
    Boolean = 1,
    String = 2,
    Int = 3,
    Short = 4,
    Long = 5,
    Double = 6,
    List = 7,
    Class = 8,
    Password = 9,
}

/// <summary>One config that a topic knows.</summary>
/// <param name="Name">Kafka's name.</param>
/// <param name="Default">The value where none is set, as Kafka writes it.</param>
/// <param name="BrokerName">The broker config that gives Kafka's default, or null.</param>
/// <param name="Check">What is wrong with a value, naming the limit; null when nothing is.</param>
/// <param name="Documentation">What it means here.</param>
public sealed record TopicConfigDefinition(
    string Name,
    ConfigType Type,
    string Default,
    string? BrokerName,
    Func<string, string?> Check,
    string Documentation);

using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Granary.Abstractions.Partitions;

/// <summary>
/// Names one partition of one topic's life: a topic that is deleted and created again under the same name gets a new
/// <paramref name="TopicId"/>, so its partitions are new logs.
/// </summary>
[GenerateSerializer, Immutable, Alias("granary.PartitionId")]
public readonly record struct PartitionId([property: Id(0)] Guid TopicId, [property: Id(1)] int Index)
{
    /// <summary>The key of the partition's grain: the topic id in 32 hexadecimal digits, a dash, the partition's index.</summary>
    public string ToKey() => string.Create(CultureInfo.InvariantCulture, $"{TopicId:N}-{Index}");

    /// <summary>Reads what <see cref="ToKey"/> wrote; false for anything else.</summary>
    public static bool TryParse([NotNullWhen(true)] string? key, out PartitionId id)
    {
        id = default;
        if (key is null || key.Length < 34 || key[32] != '-')
            return false;
        if (!Guid.TryParseExact(key.AsSpan(0, 32), "N", out var topicId))
            return false;
        if (!int.TryParse(key.AsSpan(33), NumberStyles.None, CultureInfo.InvariantCulture, out var index))
            return false;
        id = new PartitionId(topicId, index);
        return true;
    }

    public override string ToString() => ToKey();
}

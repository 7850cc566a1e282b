namespace Granary.Abstractions.Groups;

/// <summary>
/// Which group ids there may be. As in Kafka any text is one, blanks and control characters too, but for what cannot be kept. The empty id is one under
/// which old clients keep positions; nobody may join it.
/// </summary>
public static class GroupIds
{
    /// <summary>Characters (UTF-16) of a group id, at most: what grain storage can keep.</summary>
    public const int MaxLength = 255;

    /// <returns>Why it cannot be a group's id, as a sentence with the limit; null: it can.</returns>
    public static string? Refuse(string id)
    {
        if (id.Length > MaxLength)
            return $"The group's id has {id.Length} characters, {MaxLength} is the most.";
        if (id.Contains('\0'))
            return "The group's id has a zero character (U+0000), which cannot be kept.";
        return IsWellFormed(id) ? null : "The group's id is no valid text: half of a surrogate pair stands alone.";
    }

    /// <summary>Empty, or of nothing but blanks and control characters to U+0020, as Kafka's ConsumerGroupHeartbeat takes for empty.</summary>
    public static bool IsBlank(string id) => !id.AsSpan().ContainsAnyExceptInRange('\0', ' ');

    private static bool IsWellFormed(string id)
    {
        for (var index = 0; index < id.Length; index++)
        {
            if (!char.IsSurrogate(id[index]))
                continue;
            if (index + 1 == id.Length || !char.IsSurrogatePair(id[index], id[index + 1]))
                return false;
            index++;
        }

        return true;
    }
}

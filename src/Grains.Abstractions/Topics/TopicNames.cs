namespace Granary.Abstractions.Topics;

/// <summary>Kafka's rules for names of topics.</summary>
public static class TopicNames
{
    /// <summary>The longest name, in characters.</summary>
    public const int MaxLength = 249;

    /// <summary>The rule, in a sentence.</summary>
    public const string Rule = "a topic's name has 1 to 249 characters of ASCII letters, digits, '.', '_' and '-', and is not '.' or '..'";

    public static bool IsValid(string? name) => Check(name) is null;

    /// <summary>What is wrong with a name; null: nothing.</summary>
    public static string? Check(string? name)
    {
        if (string.IsNullOrEmpty(name))
            return "Topic name is invalid: the empty string is not allowed";
        if (name is "." or "..")
            return "Topic name cannot be \".\" or \"..\"";
        if (name.Length > MaxLength)
            return $"Topic name is invalid: the length of '{name[..32]}…' is {name.Length}, longer than {MaxLength}";
        foreach (var character in name)
        {
            if (!char.IsAsciiLetterOrDigit(character) && character is not ('.' or '_' or '-'))
                return $"Topic name is invalid: '{name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'";
        }

        return null;
    }

    /// <summary>Names that differ only in dots and underscores have one name in metrics, so Kafka refuses the second of them.</summary>
    public static string CollisionKey(string name) => name.Replace('.', '_');
}

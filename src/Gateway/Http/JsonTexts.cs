using System.Text.Json;

namespace Granary.Gateway.Http;

/// <summary>
/// The texts of a JSON body. JSON lets a text name half of a surrogate pair (RFC 8259, 8.2), which is no character and has no bytes. The reader takes it, and
/// fails only when somebody wants the text: here that is the caller's mistake, by the name of its field.
/// </summary>
internal static class JsonTexts
{
    /// <summary>The text of a JSON string.</summary>
    public static string TextOf(JsonElement text, string field)
    {
        try
        {
            return text.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw Problem.BadRequest(field, $"'{field}' is no text that can be written: it names half of a surrogate pair.");
        }
    }

    /// <summary>A member's name.</summary>
    /// <param name="field">The object that has it.</param>
    public static string NameOf(JsonProperty member, string field) =>
        TryName(member) ?? throw Problem.BadRequest(field, $"A member of '{field}' has a name that is no text: it names half of a surrogate pair.");

    /// <summary>The bytes of an object that has nothing but a text <c>base64</c>; null: it is another one, whose texts nobody asks for.</summary>
    public static byte[]? Base64Of(JsonElement content, string field)
    {
        if (content.GetPropertyCount() != 1)
            return null;
        var only = content.EnumerateObject().First();
        if (only.Value.ValueKind != JsonValueKind.String || TryName(only) != "base64")
            return null;
        try
        {
            if (only.Value.TryGetBytesFromBase64(out var bytes))
                return bytes;
        }
        catch (InvalidOperationException)
        {
            // Half of a pair is not base64 either.
        }

        throw Problem.BadRequest(field, $"'{field}.base64' is not base64.");
    }

    private static string? TryName(JsonProperty member)
    {
        try
        {
            return member.Name;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }
}

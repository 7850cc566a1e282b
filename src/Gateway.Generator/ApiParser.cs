using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;

namespace Granary.Gateway.Generator;

/// <summary>A declaration that is not in the form described at <see cref="ApiParser"/>.</summary>
internal sealed class DeclarationException : Exception
{
    public DeclarationException(int line, string message)
        : base(message)
    {
        Line = line;
    }

    /// <summary>Counted from 0.</summary>
    public int Line { get; }
}

/// <summary>
/// Reads a declaration of one API:
/// <code>
/// # comment
/// api KEY Name FIRST-LAST flexible N+      (or: flexible none)
/// request
///   fieldName type [versions] [null | null:versions] [=default] [tag:N]
///   things []Thing 1-3
///     fieldOfThing int32
/// response
///   ...
/// </code>
/// Versions are `2+`, `1-3` or `4`; left out: those of what it is in. A struct's fields are indented below its first use; a later use of
/// the same struct in the same message has none. Fields with a tag lie among the tagged fields of their struct.
/// </summary>
internal static class ApiParser
{
    private static readonly Dictionary<string, FieldKind> s_kinds = new Dictionary<string, FieldKind>
    {
        ["bool"] = FieldKind.Bool,
        ["int8"] = FieldKind.Int8,
        ["int16"] = FieldKind.Int16,
        ["uint16"] = FieldKind.UInt16,
        ["int32"] = FieldKind.Int32,
        ["uint32"] = FieldKind.UInt32,
        ["int64"] = FieldKind.Int64,
        ["float64"] = FieldKind.Float64,
        ["uuid"] = FieldKind.Uuid,
        ["string"] = FieldKind.String,
        ["bytes"] = FieldKind.Bytes,
        ["records"] = FieldKind.Records,
    };

    public static List<Message> Parse(IReadOnlyList<string> lines)
    {
        var messages = new List<Message>();
        string? name = null;
        short key = 0;
        short flexibleFrom = 0;
        var versions = VersionRange.All;
        var open = new Stack<(int Indent, Struct Struct)>();
        for (var line = 0; line < lines.Count; line++)
        {
            var text = lines[line].Split('#')[0].TrimEnd();
            if (text.Length == 0)
                continue;
            var indent = text.Length - text.TrimStart().Length;
            var words = text.Split(new[] { ' ' }, StringSplitOptions.RemoveEmptyEntries);
            if (indent == 0 && words[0] == "api")
            {
                if (words.Length != 6 || words[4] != "flexible")
                    throw new DeclarationException(line, "expected: api KEY Name FIRST-LAST flexible N+");
                key = short.Parse(words[1], CultureInfo.InvariantCulture);
                name = words[2];
                versions = ParseVersions(words[3], line);
                flexibleFrom = words[5] == "none" ? VersionRange.Highest : ParseVersions(words[5], line).From;
                continue;
            }

            if (indent == 0)
            {
                if (name is null || words.Length != 1 || (words[0] != "request" && words[0] != "response"))
                    throw new DeclarationException(line, "expected: request or response, after a line that begins with api");
                var message = new Message
                {
                    ClassName = name + (words[0] == "request" ? "Request" : "Response"),
                    ApiKey = key,
                    Versions = versions,
                    FlexibleFrom = flexibleFrom,
                };
                messages.Add(message);
                open.Clear();
                open.Push((0, message.Body));
                continue;
            }

            if (messages.Count == 0)
                throw new DeclarationException(line, "a field before request or response");
            AddField(messages[messages.Count - 1], open, indent, words, line);
        }

        foreach (var message in messages)
            Check(message, lines.Count - 1);
        return messages;
    }

    private static void AddField(Message message, Stack<(int Indent, Struct Struct)> open, int indent, string[] words, int line)
    {
        while (open.Peek().Indent >= indent)
            open.Pop();
        var field = ParseField(words, line);
        open.Peek().Struct.Fields.Add(field);
        if (field.Kind != FieldKind.Struct)
            return;
        var of = message.Structs.FirstOrDefault(known => known.Name == field.StructName);
        if (of is null)
        {
            of = new Struct { Name = field.StructName };
            message.Structs.Add(of);
        }

        of.IsTaggedValue |= field.Tag >= 0 && !field.IsArray;
        open.Push((indent, of));
    }

    private static Field ParseField(string[] words, int line)
    {
        if (words.Length < 2)
            throw new DeclarationException(line, "expected: fieldName type");
        var field = new Field { Name = char.ToUpperInvariant(words[0][0]) + words[0].Substring(1), Versions = VersionRange.All };
        var type = words[1];
        if (type.StartsWith("[]", StringComparison.Ordinal))
        {
            field.IsArray = true;
            type = type.Substring(2);
        }

        if (s_kinds.TryGetValue(type, out var kind))
        {
            field.Kind = kind;
        }
        else if (char.IsUpper(type[0]))
        {
            field.Kind = FieldKind.Struct;
            field.StructName = type;
        }
        else
        {
            throw new DeclarationException(line, $"unknown type {type}");
        }

        foreach (var word in words.Skip(2))
        {
            if (word == "null")
                field.Nullable = VersionRange.All;
            else if (word.StartsWith("null:", StringComparison.Ordinal))
                field.Nullable = ParseVersions(word.Substring(5), line);
            else if (word.StartsWith("tag:", StringComparison.Ordinal))
                field.Tag = int.Parse(word.Substring(4), CultureInfo.InvariantCulture);
            else if (word[0] == '=')
                field.Default = word.Substring(1);
            else
                field.Versions = ParseVersions(word, line);
        }

        return field;
    }

    private static VersionRange ParseVersions(string text, int line)
    {
        var bounds = text.TrimEnd('+').Split('-');
        if (!short.TryParse(bounds[0], NumberStyles.None, CultureInfo.InvariantCulture, out var from))
            throw new DeclarationException(line, $"'{text}' is no range of versions (2+, 1-3 or 4)");
        if (text.EndsWith("+", StringComparison.Ordinal))
            return new VersionRange(from, VersionRange.Highest);
        if (bounds.Length == 1)
            return new VersionRange(from, from);
        if (!short.TryParse(bounds[1], NumberStyles.None, CultureInfo.InvariantCulture, out var to) || to < from)
            throw new DeclarationException(line, $"'{text}' is no range of versions (2+, 1-3 or 4)");
        return new VersionRange(from, to);
    }

    private static void Check(Message message, int line)
    {
        foreach (var one in message.Structs)
        {
            if (one.Fields.Count == 0)
                throw new DeclarationException(line, $"the struct {one.Name} of {message.ClassName} has no fields");
        }
    }
}

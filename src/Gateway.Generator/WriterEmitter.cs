using System.Linq;

namespace Granary.Gateway.Generator;

/// <summary>Writes the method that writes a message or struct. What a version has no place for is left out.</summary>
internal static class WriterEmitter
{
    public static void Emit(CodeText code, Message message, Struct of)
    {
        code.Line();
        code.Open("public void Write(WireWriter writer, short version)");
        code.Line("var flexible = IsFlexible(version);");
        foreach (var field in MessageEmitter.Placed(of))
        {
            var condition = MessageEmitter.Condition(field.Versions, message.Versions);
            if (condition.Length > 0)
            {
                code.Open($"if ({condition})");
                EmitField(code, message, field);
                code.Close();
            }
            else
            {
                EmitField(code, message, field);
            }
        }

        if (message.FlexibleFrom != VersionRange.Highest)
        {
            code.Line("if (flexible)");
            code.Line(MessageEmitter.Tagged(of).Any() ? "    WriteTagged(writer, version);" : "    writer.WriteUnsignedVarint(0);");
        }

        code.Close();
        if (MessageEmitter.Tagged(of).Any())
            EmitTagged(code, message, of);
    }

    private static void EmitTagged(CodeText code, Message message, Struct of)
    {
        var tagged = MessageEmitter.Tagged(of).ToList();
        code.Line();
        code.Open("private void WriteTagged(WireWriter outer, short version)");
        code.Line("const bool flexible = true;");
        foreach (var field in tagged)
        {
            var condition = MessageEmitter.Condition(field.Versions, message.Versions);
            var given = $"!({MessageEmitter.IsDefault(field)})";
            code.Line($"var has{field.Name} = {(condition.Length > 0 ? condition + " && " : "")}{given};");
        }

        code.Line($"outer.WriteUnsignedVarint({string.Join(" + ", tagged.Select(field => $"(has{field.Name} ? 1u : 0u)"))});");
        foreach (var field in tagged)
        {
            code.Open($"if (has{field.Name})");
            code.Line("using var writer = new WireWriter(forFrame: false);");
            EmitField(code, message, field);
            code.Line($"outer.WriteTagged({field.Tag}, writer);");
            code.Close();
        }

        code.Close();
    }

    private static void EmitField(CodeText code, Message message, Field field)
    {
        if (!field.IsArray)
        {
            code.Line(Value(message, field, field.Name, field.IsNullable));
            return;
        }

        var count = field.IsNullable ? $"{field.Name}?.Count ?? {NullOr(message, field, "-1", "0")}" : $"{field.Name}.Count";
        code.Line($"writer.WriteCount({count}, flexible);");
        if (field.IsNullable)
            code.Open($"if ({field.Name} is not null)");
        code.Line($"foreach (var element in {field.Name})");
        code.Line("    " + Value(message, field, "element", nullable: false));
        if (field.IsNullable)
            code.Close();
    }

    /// <summary>Null where the version knows it, else what is nearest to it.</summary>
    private static string NullOr(Message message, Field field, string whenNull, string otherwise)
    {
        var condition = MessageEmitter.Condition(field.Nullable, message.Versions);
        return condition.Length == 0 ? whenNull : $"({condition} ? {whenNull} : {otherwise})";
    }

    private static string Value(Message message, Field field, string value, bool nullable) => field.Kind switch
    {
        FieldKind.Bool => $"writer.WriteBoolean({value});",
        FieldKind.Int8 => $"writer.WriteInt8({value});",
        FieldKind.Int16 => $"writer.WriteInt16({value});",
        FieldKind.UInt16 => $"writer.WriteUInt16({value});",
        FieldKind.Int32 => $"writer.WriteInt32({value});",
        FieldKind.UInt32 => $"writer.WriteUInt32({value});",
        FieldKind.Int64 => $"writer.WriteInt64({value});",
        FieldKind.Float64 => $"writer.WriteFloat64({value});",
        FieldKind.Uuid => $"writer.WriteUuid({value});",
        FieldKind.String => nullable ? $"writer.WriteNullableString({value} ?? {NullOr(message, field, "null", "\"\"")}, flexible);" : $"writer.WriteString({value}, flexible);",
        FieldKind.Bytes => nullable
            ? $"writer.WriteNullableBytes({value} ?? {NullOr(message, field, "(global::System.ReadOnlyMemory<byte>?)null", "global::System.ReadOnlyMemory<byte>.Empty")}, flexible);"
            : $"writer.WriteBytes({value}, flexible);",
        FieldKind.Records => $"writer.WriteRecords({value}, flexible);",
        _ => nullable ? $"writer.WriteInt8((sbyte)({value} is null ? -1 : 1)); {value}?.Write(writer, version);" : $"{value}.Write(writer, version);",
    };
}
